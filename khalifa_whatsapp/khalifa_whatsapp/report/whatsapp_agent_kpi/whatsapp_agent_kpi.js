frappe.query_reports["WhatsApp Agent KPI"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("From"),
			fieldtype: "Date",
			default: frappe.datetime.add_days(frappe.datetime.get_today(), -29),
			reqd: 1,
		},
		{
			fieldname: "to_date",
			label: __("To"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
			reqd: 1,
		},
		{
			fieldname: "group_by",
			label: __("Group By"),
			fieldtype: "Select",
			default: "Whole Period",
			options: [
				{ value: "Whole Period", label: __("Whole Period") },
				{ value: "Day", label: __("Daily") },
				{ value: "Week", label: __("Weekly") },
				{ value: "Month", label: __("Monthly") },
			],
		},
		{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Khalifa Branch" },
		{ fieldname: "agent", label: __("Agent"), fieldtype: "Link", options: "Khalifa Agent" },
	],
	onload: (report) =>
		frappe.require("khalifa_reports.bundle.js").then(() => khalifa_whatsapp.reports.ready(report)),
	formatter: (...cell) => khalifa_whatsapp.reports.cell(...cell),
};
