import assert from "node:assert/strict";
import { test } from "node:test";

// Desk's own words, with the numbers put in
globalThis.__ = (text, values = []) =>
	values.reduce((said, value, place) => said.replace(`{${place}}`, value), text);
globalThis.frappe = { boot: { lang: "ar", time_zone: { user: "", system: "Africa/Cairo" } } };
const { hue, initials, span, times, uuid } = await import("../../khalifa_whatsapp/public/js/inbox/util.js");

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test("how long: minutes, then hours, then days, and never less than nothing", () => {
	const said = [
		[-5 * MINUTE, "0 min"],
		[0, "0 min"],
		[MINUTE - 1, "0 min"],
		[59 * MINUTE + 59_999, "59 min"],
		[HOUR, "1 h 0 min"],
		[25 * HOUR + 3 * MINUTE, "25 h 3 min"],
		[48 * HOUR - 1, "47 h 59 min"],
		[48 * HOUR, "2 days"],
		[72 * HOUR - 1, "2 days"],
	];
	for (const [ms, text] of said) assert.equal(span(ms), text);
});

test("moments are in the site's zone where the user has none, with digits that everybody here reads", () => {
	assert.equal(times.clock(Date.UTC(2026, 6, 1, 9, 5)), "12:05");
	assert.equal(times.clock(Date.UTC(2026, 0, 1, 9, 5)), "11:05");
});

test("a name's first sign is whole, whatever it is", () => {
	assert.deepEqual(["منى", "omar", "🌸 نور", "  ", "", null].map(initials), ["م", "O", "🌸", "", "?", "?"]);
});

test("a name has its colour, always the same", () => {
	assert.equal(hue("منى"), hue("منى"));
	assert.notEqual(hue("منى"), hue("مني"));
	for (const name of ["", null, "a".repeat(500), "🌸"]) assert.ok(hue(name) >= 0 && hue(name) < 360);
});

test("keys differ, also in a browser without randomUUID", () => {
	assert.notEqual(uuid(), uuid());
	const { randomUUID } = crypto;
	crypto.randomUUID = undefined;
	try {
		assert.notEqual(uuid(), uuid());
	} finally {
		crypto.randomUUID = randomUUID;
	}
});
