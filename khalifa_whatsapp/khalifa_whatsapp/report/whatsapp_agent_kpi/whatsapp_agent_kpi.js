frappe.query_reports["WhatsApp Agent KPI"] = khalifa.report([
	...khalifa.filter.period(),
	khalifa.filter.group_by("Whole Period", "Day", "Week", "Month"),
	khalifa.filter.branch(),
	khalifa.filter.agent(),
]);
