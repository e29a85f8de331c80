frappe.listview_settings["Khalifa Message Status"] = {
	add_fields: ["kind"],
	// Without one, Frappe's report view moves all rows but the first by a column, and shows texts unescaped
	get_indicator: (doc) => [__(doc.kind), "gray", `kind,=,${doc.kind}`],
};
