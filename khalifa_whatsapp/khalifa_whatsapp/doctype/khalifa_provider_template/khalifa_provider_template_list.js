frappe.listview_settings["Khalifa Provider Template"] = {
	add_fields: ["status"],
	has_indicator_for_draft: true,
	get_indicator: ({ status }) => [...khalifa.template_status(status), `status,=,${status}`],
	formatters: {
		category: (value) => frappe.utils.escape_html(khalifa.template_category(value) || ""),
		status: (value) => frappe.utils.escape_html(khalifa.template_status(value)[0]),
	},
};
