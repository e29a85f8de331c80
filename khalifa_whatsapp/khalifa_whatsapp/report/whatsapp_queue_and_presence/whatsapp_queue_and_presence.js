frappe.query_reports["WhatsApp Queue and Presence"] = {
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
			default: "Agent",
			options: [
				{ value: "Agent", label: __("By Agent") },
				{ value: "Day", label: __("Daily") },
				{ value: "Week", label: __("Weekly") },
				{ value: "Month", label: __("Monthly") },
				{ value: "Hour", label: __("By Hour") },
				{ value: "Weekday", label: __("By Weekday") },
				{ value: "Branch", label: __("By Branch") },
			],
		},
		{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Khalifa Branch" },
	],
	onload: (report) =>
		frappe.require("khalifa_reports.bundle.js").then(() => khalifa_whatsapp.reports.ready(report)),
	formatter: (...cell) => khalifa_whatsapp.reports.cell(...cell),
};
