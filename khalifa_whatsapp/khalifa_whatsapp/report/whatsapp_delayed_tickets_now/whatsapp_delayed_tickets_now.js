frappe.query_reports["WhatsApp Delayed Tickets Now"] = {
	filters: [
		{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Khalifa Branch" },
		{ fieldname: "agent", label: __("Agent"), fieldtype: "Link", options: "Khalifa Agent" },
		{ fieldname: "is_queued", label: __("Waiting for an agent"), fieldtype: "Check" },
	],
	onload: (report) =>
		frappe.require("khalifa_reports.bundle.js").then(() => khalifa_whatsapp.reports.ready(report)),
	formatter: (...cell) => khalifa_whatsapp.reports.cell(...cell),
};
