frappe.provide("khalifa");

// What agents hold now: by agent. Filled after each refresh of the list, with one query for all.
khalifa.agent_loads = {};

frappe.listview_settings["Khalifa Agent"] = {
	add_fields: ["enabled", "presence", "capacity"],
	hide_name_column: true,
	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		const colour = { Online: "green", Away: "orange", Offline: "gray" }[doc.presence] || "gray";
		return [__(doc.presence), colour, `presence,=,${doc.presence}`];
	},
	formatters: {
		capacity(value, df, doc) {
			const load = khalifa.agent_loads[doc.name];
			if (!load) return String(value);
			const title = __("{0} wait for us, {1} for the customer", [load.open, load.pending]);
			const colour = load.load + 1 > load.capacity ? "text-danger" : "";
			return `<bdi class="${colour}" title="${title}">${load.load} / ${load.capacity}</bdi>`;
		},
	},
	refresh(listview) {
		if (!frappe.user.has_role(["WhatsApp Manager", "System Manager"])) return;
		frappe.xcall("khalifa_whatsapp.api.desk.agent_loads").then((rows) => {
			const loads = Object.fromEntries(rows.map((row) => [row.agent, row]));
			if (JSON.stringify(loads) === JSON.stringify(khalifa.agent_loads)) return;
			khalifa.agent_loads = loads;
			listview.render_list();
			listview.set_rows_as_checked();
		});
	},
};
