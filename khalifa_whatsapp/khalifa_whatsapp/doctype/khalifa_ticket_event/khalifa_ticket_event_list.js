frappe.listview_settings["Khalifa Ticket Event"] = {
	add_fields: ["event"],
	// Without one, Frappe's report view moves all rows but the first by a column, and shows texts unescaped
	get_indicator: (doc) => [__(doc.event), "gray", `event,=,${doc.event}`],
};
