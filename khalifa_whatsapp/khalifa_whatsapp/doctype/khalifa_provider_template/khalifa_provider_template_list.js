frappe.listview_settings["Khalifa Provider Template"] = {
	add_fields: ["status"],
	onload: ({ page }) =>
		frappe
			.xcall("khalifa_whatsapp.api.templates.choices", {}, "GET")
			.then(({ languages }) => khalifa.offer(page.fields_dict.language, languages, { is_free: true })),
	has_indicator_for_draft: true,
	get_indicator: ({ status }) => [...khalifa.template_status(status), `status,=,${status}`],
	formatters: {
		category: (value) => frappe.utils.escape_html(khalifa.template_category(value) || ""),
		status: (value) => frappe.utils.escape_html(khalifa.template_status(value)[0]),
	},
};
