frappe.query_reports["WhatsApp Queue and Presence"] = khalifa.report([
	...khalifa.filter.period(),
	khalifa.filter.group_by("Agent", "Day", "Week", "Month", "Hour", "Weekday", "Branch"),
	khalifa.filter.branch(),
]);
