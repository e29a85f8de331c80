frappe.query_reports["WhatsApp Delay Events"] = {
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
			fieldname: "kind",
			label: __("Kind"),
			fieldtype: "Select",
			options: [
				{ value: "", label: __("Any Kind") },
				{ value: "Agent", label: __("Agent") },
				{ value: "Customer", label: __("Customer") },
			],
		},
		{
			fieldname: "cause",
			label: __("Cause"),
			fieldtype: "Select",
			options: [
				{ value: "", label: __("Any Cause") },
				{ value: "Queue", label: __("Queue") },
				{ value: "Transfers", label: __("Transfers") },
				{ value: "Agent", label: __("Agent") },
			],
		},
		{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Khalifa Branch" },
		{ fieldname: "agent", label: __("Agent"), fieldtype: "Link", options: "Khalifa Agent" },
		{
			fieldname: "objection_status",
			label: __("Objection"),
			fieldtype: "Select",
			options: [
				{ value: "", label: __("Any Objection") },
				{ value: "Open", label: __("Open") },
				{ value: "Accepted", label: __("Accepted") },
				{ value: "Rejected", label: __("Rejected") },
			],
		},
	],
	onload: (report) =>
		frappe.require("khalifa_reports.bundle.js").then(() => khalifa_whatsapp.reports.ready(report)),
	formatter: (...cell) => khalifa_whatsapp.reports.cell(...cell),
};
