frappe.query_reports["WhatsApp Ticket Volume"] = khalifa.report(
	[
		...khalifa.filter.period(),
		khalifa.filter.group_by("Hour and Weekday", "Branch", "Device", "Day", "Week", "Month"),
		khalifa.filter.choice(
			"count",
			__("Count"),
			{ "New Conversations": __("New Conversations"), "Incoming Messages": __("Incoming Messages") },
			{ default: "New Conversations" },
		),
		khalifa.filter.branch(),
		khalifa.filter.device(),
	],
	"heat",
);
