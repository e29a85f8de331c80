// Whom a conversation is with: where an answer goes, and a number that may have a new holder.

import { attempt, el, toast } from "./util.js";

// The line over the composer: only where a customer has more than one number
export function answers_to(head) {
	if (!head.answers_to) return "";
	const [before, after] = __("Answer goes to {0}").split("{0}");
	return el(
		"div",
		{ class: "kin-to" },
		before,
		el("bdi", { dir: "ltr", text: head.answers_to }),
		after || "",
	);
}

// As whom a message was written, or to whom it went
export function identity_of(item) {
	if (!item.identity) return "";
	const text = item.direction === "Outgoing" ? __("to {0}") : __("from {0}");
	const [before, after] = text.split("{0}");
	return el(
		"span",
		{ class: "kin-identity" },
		before,
		el("bdi", { dir: "ltr", text: item.identity }),
		after || "",
	);
}

// The question that a person answers with one click
export function new_holder(thread) {
	const { head } = thread;
	if (!head.new_holder) return "";
	const decide = (method) => () =>
		attempt(`customers.${method}`, { ticket: head.ticket })
			.then((done) =>
				done.ticket === head.ticket ? thread.inbox.open(done.ticket) : moved(thread, done.ticket),
			)
			.catch((error) => toast(error.text, "red"));
	const button = (label, method, hint) =>
		el("button", { class: "btn btn-xs btn-default", title: hint, onclick: decide(method) }, label);
	return el(
		"div",
		{ class: "kin-holder kin-trouble warn", role: "alert" },
		el("span", {
			text: __("{0} now belongs to another WhatsApp account. Is this a new person?", [head.new_holder]),
		}),
		...(head.rights.reply
			? [
					button(
						__("New Person"),
						"new_person",
						__("What was said before stays with the former customer."),
					),
					button(__("Same Person"), "same_person", __("The conversation goes on as it is.")),
				]
			: []),
	);
}

function moved(thread, ticket) {
	thread.inbox.list.refresh?.();
	thread.inbox.open(ticket);
}
