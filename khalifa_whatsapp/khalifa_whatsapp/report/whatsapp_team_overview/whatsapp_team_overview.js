frappe.query_reports["WhatsApp Team Overview"] = khalifa.report([
	...khalifa.filter.period(1),
	khalifa.filter.branch(),
]);
