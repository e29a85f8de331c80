frappe.provide("khalifa");

frappe.ui.form.on("Khalifa Agent", {
	setup(frm) {
		frm.set_query("branch", () => ({ filters: { enabled: 1 } }));
	},
	refresh(frm) {
		if (frm.is_new()) return;
		const colour = { Online: "green", Away: "orange", Offline: "gray" }[frm.doc.presence];
		frm.page.set_indicator(
			frm.doc.enabled ? __(frm.doc.presence) : __("Disabled"),
			frm.doc.enabled ? colour : "gray",
		);
		khalifa.add_agent_buttons(frm);
		khalifa.show_agent_figures(frm);
	},
});

khalifa.add_agent_buttons = (frm) => {
	const list = (doctype, filters) => () =>
		frappe.set_route("List", doctype, { agent: frm.doc.name, ...filters });
	frm.add_custom_button(
		__("Open Tickets"),
		list("Khalifa Ticket", { status: ["!=", "Closed"] }),
		__("View"),
	);
	frm.add_custom_button(__("All Tickets"), list("Khalifa Ticket"), __("View"));
	frm.add_custom_button(__("Delays"), list("Khalifa Delay Event"), __("View"));
	frm.add_custom_button(__("Figures"), list("Khalifa Agent KPI"), __("View"));
	if (!frm.doc.enabled) return;
	["Online", "Away", "Offline"]
		.filter((presence) => presence !== frm.doc.presence)
		.forEach((presence) => {
			const set = () =>
				frappe
					.xcall("khalifa_whatsapp.api.agents.set_presence", { presence, agent: frm.doc.name })
					.then(() => frm.reload_doc());
			frm.add_custom_button(__(presence), set, __("Set Presence"));
		});
};

// Thirty days of the agent's own rows: whoever may read the agent may read them
khalifa.show_agent_figures = (frm) => {
	const filters = {
		agent: frm.doc.name,
		period: "Daily",
		start_date: [">=", frappe.datetime.add_days(frappe.datetime.get_today(), -29)],
	};
	const fields = [
		"start_date",
		"tickets_handled",
		"delays",
		"response_count",
		"response_sum",
		"first_response_count",
		"first_response_sum",
		"tickets_resolved",
		"score",
	];
	frappe.db
		.get_list("Khalifa Agent KPI", { filters, fields, order_by: "start_date", limit: 31 })
		.then((rows) => khalifa.draw_agent_figures(frm, rows));
};

khalifa.draw_agent_figures = (frm, rows) => {
	const wrapper = frm.get_field("kpi_html").$wrapper.empty();
	if (!rows.length) {
		wrapper.html(`<p class="text-muted">${__("There are no figures of the last 30 days.")}</p>`);
		return;
	}
	const sum = (field) => rows.reduce((total, row) => total + (row[field] || 0), 0);
	const mean = (kind) => {
		const count = sum(`${kind}_count`);
		return count ? __("{0} min", [Math.round(sum(`${kind}_sum`) / count / 6) / 10]) : "–";
	};
	const facts = [
		[__("Tickets Handled"), sum("tickets_handled")],
		[__("Resolved"), sum("tickets_resolved")],
		[__("First Response"), mean("first_response")],
		[__("Average Response"), mean("response")],
		[__("Delays"), sum("delays")],
	];
	const cards = facts.map(
		([label, value]) =>
			`<div class="mb-2" style="min-width: 110px"><div class="text-muted small">${label}</div>
			<div class="h4 m-0"><bdi>${value}</bdi></div></div>`,
	);
	wrapper.append(
		`<div class="d-flex flex-wrap" style="gap: var(--margin-lg)">${cards.join("")}</div><div class="chart"></div>`,
	);
	new frappe.Chart(wrapper.find(".chart")[0], {
		type: "bar",
		height: 220,
		colors: ["green", "red"],
		axisOptions: { xIsSeries: 1, shortenYAxisNumbers: 1 },
		data: {
			labels: rows.map((row) => moment(row.start_date).format("D/M")),
			datasets: [
				{ name: __("Handled"), values: rows.map((row) => row.tickets_handled) },
				{ name: __("Delays"), values: rows.map((row) => row.delays) },
			],
		},
	});
};
