frappe.listview_settings["Khalifa Alert"] = {
	hide_name_column: true,
	formatters: {
		subject(value) {
			return frappe.utils.escape_html(__(value));
		},
	},
};
