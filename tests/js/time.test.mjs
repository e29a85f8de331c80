import assert from "node:assert/strict";
import { test } from "node:test";

import { Times } from "../../khalifa_whatsapp/public/js/inbox/time.js";

const NOON = Date.UTC(2026, 6, 1, 9, 0); // 12:00 in Cairo, in summer
const times = (now, zone = "Africa/Cairo", language = "en") =>
	new Times({ zone, language, now: () => now, texts: { today: "Today", yesterday: "Yesterday" } });
const HOUR = 3600000;

test("a moment is shown in the zone that was given, not in the browser's", () => {
	assert.equal(times(NOON).clock(NOON), "12:00");
	assert.equal(times(NOON, "Asia/Riyadh").clock(Date.UTC(2026, 0, 1, 9, 5)), "12:05");
	assert.equal(times(NOON, "America/New_York").clock(NOON), "05:00");
	assert.equal(times(NOON).clock(Date.UTC(2026, 6, 1, 21, 7)), "00:07");
	assert.equal(times(NOON, "Africa/Cairo", "ar-EG-u-nu-latn").clock(NOON), "12:00");
});

test("days end at midnight there", () => {
	const after_midnight = Date.UTC(2026, 6, 1, 21, 30); // the second of July in Cairo
	assert.equal(times(after_midnight).day(NOON), "Yesterday");
	assert.equal(times(after_midnight, "UTC").day(NOON), "Today");
	assert.equal(times(NOON).short(NOON), "12:00");
	assert.equal(times(NOON).short(NOON - 24 * HOUR), "Yesterday");
	assert.equal(times(NOON).day(NOON - 3 * 24 * HOUR), "Sunday");
	assert.equal(times(NOON).day(NOON - 7 * 24 * HOUR), "June 24, 2026");
	assert.equal(times(NOON).day(NOON + 2 * 24 * HOUR), "July 3, 2026");
});

test("a day of 23 or 25 hours is one day", () => {
	for (const change of [Date.UTC(2026, 3, 24, 12), Date.UTC(2026, 9, 30, 12)]) {
		assert.equal(times(change).day(change - 24 * HOUR), "Yesterday");
		assert.equal(times(change + 24 * HOUR).day(change), "Yesterday");
	}
});
