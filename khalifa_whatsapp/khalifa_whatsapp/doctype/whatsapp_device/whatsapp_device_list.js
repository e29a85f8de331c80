frappe.listview_settings["WhatsApp Device"] = {
	add_fields: ["enabled", "state", "problem", "is_paused"],
	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		if (doc.problem) return [__(doc.problem), "red", `problem,=,${doc.problem}`];
		if (doc.is_paused) return [__("Sending Paused"), "orange", "is_paused,=,1"];
		const colour = {
			Connected: "green",
			Connecting: "orange",
			QR: "orange",
			Disconnected: "red",
			Restricted: "red",
		}[doc.state];
		return [__(doc.state), colour || "gray", `state,=,${doc.state}`];
	},
};
