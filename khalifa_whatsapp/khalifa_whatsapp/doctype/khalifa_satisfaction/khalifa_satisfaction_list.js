const SURVEY_COLOURS = {
	Planned: "gray",
	Sent: "blue",
	Delivered: "blue",
	Answered: "green",
	Expired: "orange",
	Skipped: "gray",
};

frappe.listview_settings["Khalifa Satisfaction"] = {
	hide_name_column: true,
	add_fields: ["state", "score"],
	get_indicator: (doc) => [
		__(doc.state),
		doc.score && doc.score < 3 ? "red" : SURVEY_COLOURS[doc.state] || "gray",
		`state,=,${doc.state}`,
	],
	formatters: {
		score: (score) => (score ? "★".repeat(score) : ""),
	},
};
