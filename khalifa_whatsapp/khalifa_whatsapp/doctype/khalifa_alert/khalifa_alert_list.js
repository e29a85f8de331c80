frappe.listview_settings["Khalifa Alert"] = {
	add_fields: ["kind"],
	hide_name_column: true,
	// Without one, Frappe's report view shows texts unescaped
	get_indicator: (doc) => [__(doc.kind), "orange", `kind,=,${doc.kind}`],
	formatters: {
		subject(value) {
			return frappe.utils.escape_html(__(value));
		},
	},
};
