frappe.query_reports["WhatsApp Response Times"] = khalifa.report([
	...khalifa.filter.period(),
	khalifa.filter.group_by("Day", "Week", "Month", "Hour", "Weekday", "Branch", "Device"),
	khalifa.filter.branch(),
	khalifa.filter.device(),
]);
