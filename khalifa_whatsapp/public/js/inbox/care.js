// What the customer wants of us besides an answer: no promotions, or to be asked how it was.

import { snoozed_text } from "./snooze.js";
import { attempt, day, el, toast } from "./util.js";

// Beside the name: what nobody may overlook
export function chips(head) {
	const shown = [];
	const snoozed = snoozed_text(head);
	if (snoozed) shown.push(chip(snoozed, ""));
	if (head.opted_out) shown.push(chip(__("No Promotions"), "warn"));
	if (head.survey && head.survey.label)
		shown.push(chip(head.survey.label, head.survey.score && head.survey.score < 3 ? "bad" : ""));
	return shown;
}

function chip(text, tone) {
	return el("span", { class: `kin-chip ${tone}`, text });
}

// In the panel: whether the customer wants them, since when and how we know; one tap changes it
export function promotions(panel, customer) {
	const is_stopped = customer.opted_out;
	const said = is_stopped ? __("Wants no promotions.") : __("May be sent promotions.");
	const consent = customer.consent;
	const since = consent
		? [consent.source, day(consent.at_ms), consent.actor_name].filter(Boolean).join(" · ")
		: "";
	return el(
		"div",
		{ class: "kin-promotions" },
		el("div", { class: is_stopped ? "kin-trouble warn" : "kin-muted", text: said }),
		since ? el("bdi", { class: "kin-muted", text: since }) : "",
		el(
			"button",
			{ class: "btn btn-xs btn-default", onclick: () => ask(panel, !is_stopped) },
			is_stopped ? __("Wants Them Again") : __("Stop Promotions"),
		),
	);
}

// Where it was said is kept with it: whoever is asked for proof has it
function ask(panel, is_stopped) {
	const { ticket, inbox } = panel;
	const sources = {
		"In the Conversation": __("In the Conversation"),
		"In Person": __("In Person"),
		"By Phone": __("By Phone"),
		"Another Way": __("Another Way"),
	};
	const dialog = new frappe.ui.Dialog({
		title: is_stopped ? __("Stop Promotions") : __("Send Promotions Again"),
		fields: [
			{
				fieldname: "source",
				fieldtype: "Select",
				label: __("Where did the customer say so?"),
				reqd: 1,
				default: "In the Conversation",
				options: Object.entries(sources).map(([value, label]) => ({ value, label })),
			},
		],
		primary_action_label: is_stopped ? __("Stop Promotions") : __("Send Promotions Again"),
		primary_action: ({ source }) => {
			dialog.get_primary_btn().prop("disabled", true);
			return attempt("care.set_promotions", { ticket, source, is_stopped: is_stopped ? 1 : 0 })
				.then(() => attempt("inbox.customer", { ticket }))
				.then((customer) => {
					dialog.hide();
					if (inbox.ticket !== ticket) return;
					panel.draw(customer);
					inbox.thread.changed();
				})
				.catch((error) => toast(error.text, "red"))
				.finally(() => dialog.get_primary_btn().prop("disabled", false));
		},
	});
	dialog.show();
}
