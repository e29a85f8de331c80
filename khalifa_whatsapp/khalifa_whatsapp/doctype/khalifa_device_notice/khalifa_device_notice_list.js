const SEVERITY_COLOURS = { Info: "blue", Warning: "orange", Critical: "red" };

frappe.listview_settings["Khalifa Device Notice"] = {
	add_fields: ["severity", "text_values"],
	hide_name_column: true,
	get_indicator: (doc) => [
		__(doc.severity),
		SEVERITY_COLOURS[doc.severity] || "gray",
		`severity,=,${doc.severity}`,
	],
	formatters: {
		text: (text, df, doc) => frappe.utils.escape_html(filled(text, doc.text_values)),
	},
};

function filled(text, text_values) {
	const values = JSON.parse(text_values || "{}");
	return __(text).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? __("not said"));
}
