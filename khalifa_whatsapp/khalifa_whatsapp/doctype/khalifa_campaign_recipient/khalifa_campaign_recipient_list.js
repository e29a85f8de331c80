frappe.listview_settings["Khalifa Campaign Recipient"] = {
	add_fields: ["status", "reason", "reason_values", "message", "ticket"],
	hide_name_column: true,
	onload: () => frappe.require("khalifa_campaign.bundle.js"),
	get_indicator(doc) {
		const colours = {
			Planned: "gray",
			Skipped: "gray",
			Queued: "orange",
			Sent: "light-blue",
			Delivered: "green",
			Read: "green",
			Replied: "blue",
			Failed: "red",
			"Opted Out": "purple",
			Cancelled: "darkgrey",
		};
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
	formatters: {
		address: (value) => `<bdi dir="ltr">${frappe.utils.escape_html(value || "")}</bdi>`,
		reason: (value, _df, doc) =>
			frappe.utils.escape_html(
				khalifa.filled ? khalifa.filled(__(value || ""), doc.reason_values) : "",
			),
	},
	// The recipient's message is one click away
	button: {
		show: (doc) => doc.message,
		get_label: () => __("Message"),
		get_description: () => __("Open the message"),
		action: (doc) => frappe.set_route("Form", "Khalifa Message", doc.message),
	},
};
