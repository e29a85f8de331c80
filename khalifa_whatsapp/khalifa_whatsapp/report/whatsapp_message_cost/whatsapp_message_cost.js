frappe.query_reports["WhatsApp Message Cost"] = khalifa.report([
	...khalifa.filter.period(),
	khalifa.filter.group_by(
		"Category",
		"Month",
		"Agent",
		"Campaign",
		"Template",
		"Automatic Reply",
		"Device",
		"Country",
	),
	khalifa.filter.device(),
	khalifa.filter.agent(),
]);
