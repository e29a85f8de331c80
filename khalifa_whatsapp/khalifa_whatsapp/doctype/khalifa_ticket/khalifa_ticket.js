frappe.provide("khalifa");

frappe.ui.form.on("Khalifa Ticket", {
	refresh(frm) {
		frm.disable_save();
		// the links beside them show the same names
		frm.toggle_display(["customer_name", "agent_name"], false);
		khalifa.hide_sharing(frm);
		khalifa.show_ticket(frm);
	},
});

khalifa.show_ticket = (frm) => {
	frappe.xcall("khalifa_whatsapp.api.desk.ticket_form", { ticket: frm.doc.name }).then((form) => {
		if (frm.doc.name !== cur_frm?.doc.name) return;
		const [label, colour] = khalifa.ticket_indicator(frm.doc, form.state);
		frm.page.set_indicator(label, colour);
		khalifa.show_wait(frm, form);
		khalifa.show_history(frm, form.history);
		frm.get_field("close_reason").$wrapper.find(".control-value").text(form.close_reason);
		khalifa.add_ticket_buttons(frm, form);
	});
};

// Beside the moment at which the wait began: how long that is by the clock that the limits run on
khalifa.show_wait = (frm, { state, waited, late }) => {
	const waits = frm.doc.waiting_since_ms
		? __("Waited in business hours (minutes): {0}", [waited]) +
			(state === "Delayed" ? ` · ${__("Late by (minutes): {0}", [late])}` : "")
		: "";
	frm.set_df_property("waiting_since", "description", waits);
};

khalifa.show_history = (frm, lines) => {
	const colours = { good: "green", bad: "red" };
	const rows = lines.map((line) => {
		const when = frappe.datetime.str_to_user(
			frappe.datetime.convert_to_user_tz(khalifa.moment_of(line.at_ms)),
		);
		return `<div class="d-flex mb-2" style="gap: var(--margin-sm)">
			<span class="indicator ${colours[line.tone] || "blue"}"></span>
			<div>${frappe.utils.escape_html(line.text)}
				<div class="text-muted small">${when}</div></div></div>`;
	});
	const empty = `<p class="text-muted">${__("Nothing has happened yet.")}</p>`;
	frm.get_field("history_html").$wrapper.html(rows.join("") || empty);
};

// The site's clock, as Frappe's own Datetime fields hold it
khalifa.moment_of = (at_ms) =>
	moment.tz(at_ms, frappe.boot.time_zone?.system || moment.tz.guess()).format(frappe.defaultDatetimeFormat);

khalifa.add_ticket_buttons = (frm, { can, close_reasons }) => {
	frm.clear_custom_buttons();
	if (frappe.boot.page_info?.["khalifa-inbox"]) {
		const open = () => frappe.set_route("khalifa-inbox", frm.doc.name);
		frm.add_custom_button(__("Open in Inbox"), open).addClass("btn-primary");
	}
	const act = (verb, values = {}) =>
		frappe
			.xcall(`khalifa_whatsapp.api.conversation.${verb}`, { ticket: frm.doc.name, ...values })
			.then(() => frm.reload_doc());
	if (can.take) frm.add_custom_button(__("Take"), () => act("assign", { agent: can.take }));
	if (can.transfer) {
		const ask = () =>
			khalifa.ask_receiver({ title: __("Transfer"), then: (values) => act("transfer", values) });
		frm.add_custom_button(__("Transfer"), ask);
	}
	if (can.close) frm.add_custom_button(__("Close Ticket"), () => khalifa.ask_close(close_reasons, act));
	if (can.reopen) {
		const reason = { fieldname: "reason", fieldtype: "Data", label: __("Reason"), length: 140 };
		const ask = () =>
			frappe.prompt(reason, (values) => act("reopen", values), __("Reopen"), __("Reopen"));
		frm.add_custom_button(__("Reopen"), ask);
	}
};

khalifa.ask_close = (reasons, act) => {
	const field = {
		fieldname: "reason",
		fieldtype: "Select",
		label: __("Reason"),
		reqd: 1,
		options: reasons,
		default: "resolved",
	};
	frappe.prompt(field, (values) => act("close", values), __("Close Ticket"), __("Close Ticket"));
};
