// Until when a conversation is put aside: at a time that is offered or written, or until the customer writes.

import { reactive } from "vue";

import { component_dialog } from "./component_dialog.js";
import SnoozeChoice from "./components/SnoozeChoice.vue";
import { presets, written } from "./snooze_times.js";
import { attempt, clock, day, times, toast } from "./util.js";

export const CUSTOMER = "customer";
export const OWN = "own";

export function snooze(inbox) {
	const { ticket, head } = inbox.thread;
	const labels = {
		hour: __("In 1 hour"),
		three_hours: __("In 3 hours"),
		evening: __("This evening"),
		tomorrow: __("Tomorrow morning"),
		week: __("In a week"),
	};
	const offered = presets(inbox.now(), times.zone).map((one) => ({
		...one,
		label: labels[one.name],
		shown: moment(one.at_ms),
	}));
	const state = reactive({
		choice: CUSTOMER,
		own: "",
		reason: "",
		is_owed: Boolean(head.waiting_since_ms),
		offered,
	});
	return component_dialog({
		title: __("Snooze the Conversation"),
		component: SnoozeChoice,
		props: { state },
		action: __("Snooze"),
		go: () => {
			const until_ms = until(state);
			if (Number.isNaN(until_ms)) return missing(__("Choose the day and the time."));
			if (state.is_owed && !state.reason.trim())
				return missing(
					__("The customer waits for an answer. Answer first, or write why this can wait."),
				);
			const args = { ticket, until_ms: until_ms ?? "", reason: state.reason };
			return attempt("conversation.snooze", args).then(() => {
				toast(__("Snoozed. It comes back by itself."), "green");
				if (inbox.ticket === ticket) inbox.thread.changed();
			});
		},
	});
}

// What the thread's head says; empty when it is not put aside
export function snoozed_text(head) {
	if (!head.snoozed_ms) return "";
	return head.snoozed_until_ms
		? __("Snoozed until {0}", [moment(head.snoozed_until_ms)])
		: __("Snoozed until the customer writes");
}

function until(state) {
	if (state.choice === CUSTOMER) return null;
	if (state.choice === OWN) return written(state.own, times.zone);
	return state.offered.find((one) => one.name === state.choice).at_ms;
}

function moment(at_ms) {
	const name = day(at_ms);
	return name === times.texts.today ? clock(at_ms) : `${name} ${clock(at_ms)}`;
}

function missing(text) {
	toast(text);
	return null;
}
