// What a line of the list says, and the pill that counts down to the limit of a customer's wait.

import { clock, el, short_time, span } from "./util.js";
import { wait } from "./wait.js";

const MARKS = {
	Queued: "🕓",
	Sending: "🕓",
	Sent: "✓",
	Delivered: "✓✓",
	Read: "✓✓",
	Played: "✓✓",
	Failed: "⚠",
	Unknown: "?",
};

// How far our last message came, while nothing has been written after it
export function mark_of(row) {
	return row.last_out_status && !row.waiting_since_ms ? MARKS[row.last_out_status] : "";
}

// In which list a line that was found lies
export function where(row) {
	if (row.status === "Closed") return __("Closed");
	if (row.status === "Queued") return __("Queue");
	return row.is_mine ? __("Mine") : __("Open");
}

// What matched: `parts` of a message, each with whether it was searched for, or `what` else it was
export function hit_of({ matched, phone, ticket }) {
	if (!matched) return null;
	if (matched.what === "message") return { parts: matched.snippet };
	return { what: { name: "", number: __("Another number of the customer"), phone, ticket }[matched.what] };
}

export function line_id(ticket) {
	return `kin-line-${ticket}`;
}

// The pill's text, how bad it is, and what it says to whoever stays on it
export function wait_text(row, now) {
	const stands = wait(row, now);
	if (!stands) return { text: "", level: "", title: "" };
	const time = span(stands.ms);
	const text = { left: __("{0} left", [time]), over: __("{0} over", [time]), waited: time }[stands.kind];
	const since = moment_of(row.waiting_since_ms);
	return {
		text,
		level: stands.level,
		title: __("Waited {0} of business time, since {1}", [span(stands.lasted), since]),
	};
}

// The same for what is not drawn by components; `tick` of the list goes on with it
export function waiting(row, inbox) {
	if (!wait(row, inbox.now())) return "";
	const pill = el("span", { class: "kin-wait", "data-counts": "1" });
	pill.khalifa_row = row;
	colour(pill, inbox);
	return pill;
}

export function colour(pill, inbox) {
	const { text, level, title } = wait_text(pill.khalifa_row, inbox.now());
	const look = `kin-wait ${level}`;
	if (pill.className !== look) pill.className = look;
	if (pill.textContent === text) return;
	pill.textContent = text;
	pill.title = title;
}

function moment_of(at_ms) {
	return `${short_time(at_ms)}${short_time(at_ms) === clock(at_ms) ? "" : ` ${clock(at_ms)}`}`;
}
