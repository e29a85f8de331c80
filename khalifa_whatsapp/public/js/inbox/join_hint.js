// Whether several short messages could have been one: each is charged by itself. Nothing here draws.

const SHORT = 80; // characters
const SOON_MS = 60_000; // between one message and the next, and until now
const ENOUGH = 2; // short messages in a row before anything is said

function is_short_text(item) {
	return (
		item.kind === "message" &&
		item.direction === "Outgoing" &&
		item.origin === "Agent" &&
		item.content_type === "text" &&
		(item.body || "").length <= SHORT
	);
}

// How many short texts of ours stand at the end of the conversation, each soon after the one before it. `items`:
// the conversation, oldest first; notes are not the customer's and are passed over
export function short_texts_in_a_row(items, now_ms) {
	let count = 0;
	let before_ms = now_ms;
	for (const item of [...items].reverse()) {
		if (item.is_note || item.kind === "event") continue;
		if (!is_short_text(item) || before_ms - item.sent_ms > SOON_MS) break;
		count += 1;
		before_ms = item.sent_ms;
	}
	return count;
}

// Whether to say so, while another short text is being written
export function may_be_joined(items, draft, now_ms) {
	const is_short = draft.trim().length > 0 && draft.length <= SHORT;
	return is_short && short_texts_in_a_row(items, now_ms) >= ENOUGH;
}
