frappe.query_reports["WhatsApp Ticket Volume"] = {
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
			default: "Hour and Weekday",
			options: [
				{ value: "Hour and Weekday", label: __("Hour and Weekday") },
				{ value: "Branch", label: __("By Branch") },
				{ value: "Device", label: __("By Device") },
				{ value: "Day", label: __("Daily") },
				{ value: "Week", label: __("Weekly") },
				{ value: "Month", label: __("Monthly") },
			],
		},
		{
			fieldname: "count",
			label: __("Count"),
			fieldtype: "Select",
			default: "New Conversations",
			options: [
				{ value: "New Conversations", label: __("New Conversations") },
				{ value: "Incoming Messages", label: __("Incoming Messages") },
			],
		},
		{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Khalifa Branch" },
		{ fieldname: "device", label: __("Device"), fieldtype: "Link", options: "WhatsApp Device" },
	],
	onload: (report) =>
		frappe.require("khalifa_reports.bundle.js").then(() => khalifa_whatsapp.reports.ready(report)),
	formatter: (...cell) => khalifa_whatsapp.reports.heat(...cell),
};
