// How far a campaign is: what its bar and its counts show. Nothing here knows a browser.

// The states of recipients in the order of the bar, and their colours; who is left out is no part of it
export const STATES = [
	["Replied", "var(--blue-500)"],
	["Read", "var(--green-600)"],
	["Delivered", "var(--green-400)"],
	["Sent", "var(--green-200)"],
	["Opted Out", "var(--purple-500)"],
	["Failed", "var(--red-500)"],
	["Cancelled", "var(--gray-500)"],
	["Queued", "var(--orange-400)"],
	["Planned", "var(--gray-300)"],
];
const WAITING = ["Planned", "Queued"];

// `counts`: {state: recipients}
export function progress(counts) {
	const recipients = STATES.reduce((sum, [state]) => sum + (counts[state] || 0), 0);
	const waiting = WAITING.reduce((sum, state) => sum + (counts[state] || 0), 0);
	return {
		recipients,
		skipped: counts.Skipped || 0,
		share: recipients ? (recipients - waiting) / recipients : 0,
		segments: STATES.filter(([state]) => counts[state]).map(([state, colour]) => ({
			state,
			colour,
			count: counts[state],
			width: (100 * counts[state]) / recipients,
		})),
	};
}

// A sentence of the server's with what stands in its places; `values` is an object, or JSON of one
export function filled(text, values) {
	const given = typeof values === "string" ? parsed(values) : values || {};
	return (text || "").replace(/\{(\w+)\}/g, (place, name) =>
		Object.hasOwn(given, name) ? String(given[name]) : place,
	);
}

function parsed(json) {
	try {
		return JSON.parse(json || "{}") || {};
	} catch {
		return {};
	}
}
