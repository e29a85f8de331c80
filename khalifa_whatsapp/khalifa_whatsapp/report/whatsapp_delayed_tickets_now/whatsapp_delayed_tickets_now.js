frappe.query_reports["WhatsApp Delayed Tickets Now"] = khalifa.report([
	khalifa.filter.branch(),
	khalifa.filter.agent(),
	{ fieldname: "is_queued", label: __("Waiting for an agent"), fieldtype: "Check" },
]);
