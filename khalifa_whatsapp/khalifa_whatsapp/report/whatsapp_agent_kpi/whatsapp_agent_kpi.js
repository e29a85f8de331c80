frappe.query_reports["WhatsApp Agent KPI"] = {
	filters: [
		{ fieldname: "from_date", label: __("From"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.get_today(), -29) },
		{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: frappe.datetime.get_today() },
		{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Khalifa Branch" },
		{ fieldname: "agent", label: __("Agent"), fieldtype: "Link", options: "Khalifa Agent" },
	],
	formatter(value, row, column, data, default_formatter) {
		const shown = default_formatter(value, row, column, data);
		return data?.bold ? `<b>${shown}</b>` : shown;
	},
};
