// Whether one may write to the customer now, and if not, what is in the way. Nothing here draws.

// `thread`: what the server says of the conversation (head, can) and of WhatsApp's 24-hour window, null where
// there is none
export function is_window_closed({ service_window }) {
	return Boolean(service_window && !service_window.is_open);
}

export function may_write(thread) {
	const { head, can } = thread;
	return Boolean(head.rights.reply && can.text && !is_window_closed(thread) && !head.cannot_answer);
}

// The first thing in the way, in the order in which one would have to mend them
export function obstacle(thread) {
	const { head, can } = thread;
	if (head.status === "Closed") return "closed";
	if (!head.rights.reply) return head.rights.assign ? "nobody" : "somebody";
	if (head.cannot_answer) return "cannot_answer";
	if (is_window_closed(thread)) return "window";
	return can.held ? "held" : "off";
}
