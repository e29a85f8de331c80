frappe.listview_settings["Khalifa Reply Template"] = {
	add_fields: ["enabled", "agent"],
	get_indicator: ({ enabled, agent }) => {
		if (!enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		return agent
			? [__("Personal"), "blue", "agent,is,set"]
			: [__("For everybody"), "green", "agent,is,not set"];
	},
};
