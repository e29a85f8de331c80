frappe.listview_settings["Khalifa Alert"] = {
	add_fields: ["kind", "is_solved", "subject_values"],
	filters: [["is_solved", "=", 0]],
	hide_name_column: true,
	// Without one, Frappe's report view shows texts unescaped
	get_indicator: (doc) =>
		doc.is_solved
			? [__("Solved"), "green", "is_solved,=,1"]
			: [__(doc.kind), "orange", `kind,=,${doc.kind}`],
	formatters: {
		since_on: khalifa.to_the_minute,
		last_on: khalifa.to_the_minute,
		subject: (subject, df, doc) => frappe.utils.escape_html(sentence(doc)),
	},
};

// As the server says it (jobs/alerts.py)
function sentence({ kind, subject, subject_values }) {
	const text = __(subject || "");
	if (kind === "Job") return __("A part of the background work fails: {step}").replace("{step}", text);
	const values = JSON.parse(subject_values || "{}");
	if (values.date_ms) values.date = frappe.datetime.str_to_user(new Date(Number(values.date_ms)));
	return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? "");
}
