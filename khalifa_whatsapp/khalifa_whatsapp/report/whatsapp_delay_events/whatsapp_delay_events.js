frappe.query_reports["WhatsApp Delay Events"] = khalifa.report([
	...khalifa.filter.period(),
	khalifa.filter.choice("kind", __("Kind"), {
		"": __("Any Kind"),
		Agent: __("Agent"),
		Customer: __("Customer"),
	}),
	khalifa.filter.choice("cause", __("Cause"), {
		"": __("Any Cause"),
		Queue: __("Queue"),
		Transfers: __("Transfers"),
		Agent: __("Agent"),
	}),
	khalifa.filter.branch(),
	khalifa.filter.agent(),
	khalifa.filter.choice("objection_status", __("Objection"), {
		"": __("Any Objection"),
		Open: __("Open"),
		Accepted: __("Accepted"),
		Rejected: __("Rejected"),
	}),
]);
