frappe.listview_settings["Khalifa Audit Entry"] = {
	add_fields: ["kind", "action", "details"],
	hide_name_column: true,
	get_indicator: (doc) => [__(doc.action), "gray", `action,=,${doc.action}`],
	formatters: {
		at: khalifa.to_the_minute,
		document_title: (title) => frappe.utils.escape_html(title || ""),
		summary: (summary, df, doc) => frappe.utils.escape_html(in_readers_language(doc.details) || summary),
	},
};

function in_readers_language(details) {
	const { changes = [], values = {} } = JSON.parse(details || "{}");
	const arrow = frappe.utils.is_rtl() ? "←" : "→";
	const changed = changes.map(
		(change) => `${__(change.label)}: ${change.old || "–"} ${arrow} ${change.new || "–"}`,
	);
	return [...changed, ...Object.values(values)].join("; ");
}
