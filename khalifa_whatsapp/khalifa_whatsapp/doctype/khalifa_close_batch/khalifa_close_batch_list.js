frappe.listview_settings["Khalifa Close Batch"] = {
	add_fields: ["status"],
	hide_name_column: true,
	get_indicator(doc) {
		const colour = { Running: "orange", Done: "green", Undoing: "orange", Undone: "gray" }[doc.status];
		return [__(doc.status), colour, `status,=,${doc.status}`];
	},
};
