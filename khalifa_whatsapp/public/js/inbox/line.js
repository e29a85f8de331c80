// One line of the list, and the pill that counts how long a customer has waited.

import { avatar, clock, el, short_time, span } from "./util.js";

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

export function line(row, inbox) {
	const is_active = row.ticket === inbox.ticket;
	const mark = row.last_out_status && !row.waiting_since_ms ? MARKS[row.last_out_status] : "";
	return el(
		"div",
		{
			class: `kin-line${is_active ? " active" : ""}${row.unread_count ? " unread" : ""}`,
			role: "option",
			id: line_id(row.ticket),
			"data-ticket": row.ticket,
			"aria-selected": String(is_active),
			onclick: () => inbox.open(row.ticket),
		},
		avatar(row.customer_name || row.phone),
		el(
			"div",
			{ class: "kin-line-body" },
			el(
				"div",
				{ class: "kin-line-top" },
				el("bdi", { class: "kin-name", text: row.customer_name || row.phone || row.ticket }),
				el("span", {
					class: "kin-when",
					text: row.last_message_ms ? short_time(row.last_message_ms) : "",
				}),
			),
			el(
				"div",
				{ class: "kin-line-bottom" },
				el(
					"span",
					{ class: "kin-preview" },
					...(row.matched
						? hit(row)
						: [
								mark
									? el("span", { class: `kin-tick ${row.last_out_status}`, text: mark })
									: "",
								el("bdi", { text: row.preview || "" }),
							]),
				),
				row.unread_count ? el("span", { class: "kin-badge", text: row.unread_count }) : "",
			),
			el(
				"div",
				{ class: "kin-line-foot" },
				el(
					"span",
					{ class: "kin-agent" },
					row.matched ? el("span", { class: "kin-tag", text: where(row) }) : "",
					el("bdi", { text: row.agent_name || __("Waiting for an agent") }),
				),
				waiting(row, inbox),
			),
		),
	);
}

// In which list a line that was found lies
function where(row) {
	if (row.status === "Closed") return __("Closed");
	if (row.status === "Queued") return __("Queue");
	return row.is_mine ? __("Mine") : __("Open");
}

// What matched: the words of a message with those that were searched for marked, or what else it was
function hit({ matched, phone, ticket, preview }) {
	const what = { name: "", number: __("Another number of the customer"), phone, ticket }[matched.what];
	if (matched.what !== "message")
		return [what ? el("mark", { dir: "auto", text: what }) : "", " ", el("bdi", { text: preview || "" })];
	return [
		el(
			"bdi",
			{},
			...matched.snippet.flatMap(([part, is_hit]) => [is_hit ? el("mark", { text: part }) : part, " "]),
		),
	];
}

export function line_id(ticket) {
	return `kin-line-${ticket}`;
}

export function waiting(row, inbox) {
	if (!row.waited || row.status === "Closed") return "";
	const { zero_ms, from_ms, until_ms } = row.waited;
	const pill = el("span", {
		class: "kin-wait",
		title: __("Business time waited, since {0}", [moment_of(row.waiting_since_ms)]),
		"data-zero": zero_ms,
		"data-from": from_ms,
		"data-until": until_ms,
		"data-by": row.due_by_ms || "",
		"data-soon": row.late_soon_ms || "",
	});
	colour(pill, inbox);
	return pill;
}

// How long, in business time as the server counted it, and how bad by the deadlines that it gave
export function colour(pill, inbox) {
	const now = inbox.now();
	const [zero, from, until, by, soon] = ["zero", "from", "until", "by", "soon"].map((name) =>
		Number(pill.dataset[name]),
	);
	const level = by && now > by ? "bad" : soon && now >= soon ? "warn" : "";
	const look = `kin-wait ${level}`;
	const text = span(Math.min(Math.max(now, from), until) - zero);
	if (pill.className !== look) pill.className = look;
	if (pill.textContent !== text) pill.textContent = text;
}

function moment_of(at_ms) {
	return `${short_time(at_ms)}${short_time(at_ms) === clock(at_ms) ? "" : ` ${clock(at_ms)}`}`;
}
