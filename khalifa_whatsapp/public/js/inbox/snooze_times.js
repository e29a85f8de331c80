// Until when a conversation may be put aside: what is offered, and what somebody writes, by the clock of the user's
// zone. Nothing here knows a browser.

export const HOUR = 3600000;
const DAY = 24 * HOUR;
const EVENING = 18;
const MORNING = 9;
const SOON = HOUR; // nearer than that «this evening» says nothing new

// [{ name, at_ms }], soonest first
export function presets(now_ms, zone) {
	const evening = at_hour(now_ms, 0, EVENING, zone);
	return [
		{ name: "hour", at_ms: now_ms + HOUR },
		{ name: "three_hours", at_ms: now_ms + 3 * HOUR },
		...(evening - now_ms > SOON ? [{ name: "evening", at_ms: evening }] : []),
		{ name: "tomorrow", at_ms: at_hour(now_ms, 1, MORNING, zone) },
		{ name: "week", at_ms: at_hour(now_ms, 7, MORNING, zone) },
	].sort((one, other) => one.at_ms - other.at_ms);
}

// So many days after the day of an instant, at this hour there
export function at_hour(at_ms, days, hour, zone) {
	const { year, month, day } = parts(at_ms, zone);
	return instant(Date.UTC(year, month - 1, day + days, hour), zone);
}

// «2026-12-01T18:30» of an input, there; NaN for anything else
export function written(text, zone) {
	const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(text || "");
	if (!match) return NaN;
	const [year, month, day, hour, minute] = match.slice(1).map(Number);
	return instant(Date.UTC(year, month - 1, day, hour, minute), zone);
}

// What an input shows for an instant
export function shown(at_ms, zone) {
	const { year, month, day, hour, minute } = parts(at_ms, zone);
	const two = (number) => String(number).padStart(2, "0");
	return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

// The instant at which a clock there shows this; `wall`: that as if it were UTC. In the hour that a clock leaves out
// it is the hour after
function instant(wall, zone) {
	const offset = (at_ms) => as_wall(at_ms, zone) - at_ms;
	const first = wall - offset(wall - offset(wall));
	return as_wall(first, zone) === wall ? first : wall - offset(wall - DAY);
}

function as_wall(at_ms, zone) {
	const { year, month, day, hour, minute, second } = parts(at_ms, zone);
	return Date.UTC(year, month - 1, day, hour, minute, second) + (((at_ms % 1000) + 1000) % 1000);
}

function parts(at_ms, zone) {
	const form = new Intl.DateTimeFormat("en", {
		timeZone: zone,
		hourCycle: "h23",
		year: "numeric",
		month: "numeric",
		day: "numeric",
		hour: "numeric",
		minute: "numeric",
		second: "numeric",
	});
	return Object.fromEntries(form.formatToParts(at_ms).map((part) => [part.type, Number(part.value)]));
}
