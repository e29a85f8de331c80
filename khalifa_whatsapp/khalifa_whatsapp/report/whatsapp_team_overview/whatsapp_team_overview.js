frappe.query_reports["WhatsApp Team Overview"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("From"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
			reqd: 1,
		},
		{
			fieldname: "to_date",
			label: __("To"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
			reqd: 1,
		},
		{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Khalifa Branch" },
	],
	onload: (report) =>
		frappe.require("khalifa_reports.bundle.js").then(() => khalifa_whatsapp.reports.ready(report)),
	formatter: (...cell) => khalifa_whatsapp.reports.cell(...cell),
};
