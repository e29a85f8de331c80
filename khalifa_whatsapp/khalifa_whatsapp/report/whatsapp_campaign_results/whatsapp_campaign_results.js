frappe.query_reports["WhatsApp Campaign Results"] = khalifa.report([
	...khalifa.filter.period(90),
	khalifa.filter.link("campaign", __("Campaign"), "Khalifa Campaign"),
	khalifa.filter.device(),
	{
		fieldname: "days",
		label: __("Orders Within (Days)"),
		fieldtype: "Int",
		default: 7,
		reqd: 1,
	},
]);
