frappe.listview_settings["Khalifa Message"] = {
	add_fields: ["status", "direction", "error_text"],
	hide_name_column: true,
	get_indicator(doc) {
		const colours = {
			Failed: "red",
			Unknown: "orange",
			Queued: "blue",
			Sending: "blue",
			Received: "gray",
		};
		return [__(doc.status), colours[doc.status] || "green", `status,=,${doc.status}`];
	},
};
