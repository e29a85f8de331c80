frappe.query_reports["WhatsApp Satisfaction"] = khalifa.report([
	...khalifa.filter.period(),
	khalifa.filter.group_by("Agent", "Branch", "Day", "Week", "Month", "Comments"),
	khalifa.filter.branch(),
	khalifa.filter.agent(),
	khalifa.filter.device(),
]);
