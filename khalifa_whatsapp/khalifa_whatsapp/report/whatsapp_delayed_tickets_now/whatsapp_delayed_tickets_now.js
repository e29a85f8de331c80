frappe.query_reports["WhatsApp Delayed Tickets Now"] = {
	filters: [
	{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Khalifa Branch" },
		{ fieldname: "agent", label: __("Agent"), fieldtype: "Link", options: "Khalifa Agent" },
	],
	formatter(value, row, column, data, default_formatter) {
		const shown = default_formatter(value, row, column, data);
		return data?.bold ? `<b>${shown}</b>` : shown;
	},
};
