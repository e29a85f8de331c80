// What is to be said of an agent's shift now: that it has begun and one is not here, or that it ends soon. Nothing is
// drawn here.

export const SOON = 5 * 60000; // before the end
export const FRESH = 15 * 60000; // after the beginning; later the page says that one is offline, as ever

// `shift`: { from_ms, to_ms } of the present or the next one, or null. { kind, at_ms, key }: `key` is the same for
// the same news, so that it is said once
export function shift_news(shift, presence, now_ms) {
	if (!shift || now_ms < shift.from_ms || now_ms >= shift.to_ms) return null;
	const is_here = presence === "Online" || presence === "Away";
	if (is_here && shift.to_ms - now_ms <= SOON) return news("ends", shift.to_ms);
	if (presence === "Offline" && now_ms - shift.from_ms < FRESH) return news("begins", shift.from_ms);
	return null;
}

function news(kind, at_ms) {
	return { kind, at_ms, key: `${kind}:${at_ms}` };
}
