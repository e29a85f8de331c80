import assert from "node:assert/strict";
import { test } from "node:test";

import { shift_news } from "../../khalifa_whatsapp/public/js/desk/shift.js";
import { fitting, kept } from "../../khalifa_whatsapp/public/js/inbox/macro_text.js";
import { branches, receivers, why_not } from "../../khalifa_whatsapp/public/js/inbox/receivers.js";
import {
	at_hour,
	HOUR,
	presets,
	shown,
	written,
} from "../../khalifa_whatsapp/public/js/inbox/snooze_times.js";

const CAIRO = "Africa/Cairo";
const MINUTE = 60000;
const agent = (name, availability, load, capacity = 6, branch = "North") => ({
	agent: name,
	name,
	branch,
	availability,
	load,
	capacity,
});

test("who can take it comes first, then who is there, then who has least", () => {
	const all = [
		agent("Off", "Offline", 0),
		agent("Full", "Online", 6),
		agent("Away", "Away", 0),
		agent("Busy", "Online", 5),
		agent("Free", "Online", 1),
		agent("Me", "Online", 0),
	];
	const names = (given) => receivers(all, given).map((one) => one.name);
	assert.deepEqual(names({ holder: "Me" }), ["Free", "Busy", "Away", "Full", "Off"]);
	assert.equal(receivers(all, { holder: "Me" })[3].why_not, "full");
	assert.deepEqual(names({ holder: "Me", is_manager: true }), ["Free", "Busy", "Full", "Away", "Off"]);
	assert.equal(why_not(all[0], true), "offline");
});

test("a search finds names and branches as people type them", () => {
	const all = [agent("أحمد عليّ", "Online", 0), agent("Mona Adel", "Online", 0, 6, "فرع المعادى")];
	const names = (text) => receivers(all, { text }).map((one) => one.name);
	assert.deepEqual(names("احمد"), ["أحمد عليّ"]);
	assert.deepEqual(names("المعادي"), ["Mona Adel"]);
	assert.deepEqual(names("adel mona"), ["Mona Adel"]);
	assert.deepEqual(names("nobody"), []);
	assert.deepEqual(branches(["Maadi", "Nasr City"], "nasr"), ["Nasr City"]);
});

test("what is offered lies ahead, in its order, at the hours of the user's zone", () => {
	const morning = Date.UTC(2026, 11, 1, 8, 0); // ten o'clock in Cairo
	assert.deepEqual(
		presets(morning, CAIRO).map((one) => [one.name, shown(one.at_ms, CAIRO)]),
		[
			["hour", "2026-12-01T11:00"],
			["three_hours", "2026-12-01T13:00"],
			["evening", "2026-12-01T18:00"],
			["tomorrow", "2026-12-02T09:00"],
			["week", "2026-12-08T09:00"],
		],
	);
	const late = Date.UTC(2026, 11, 1, 15, 30); // half past five: the evening is nearer than an hour
	assert.ok(!presets(late, CAIRO).some((one) => one.name === "evening"));
	for (let hour = 0; hour < 24 * 14; hour += 1) {
		const now = morning + hour * HOUR;
		const times = presets(now, CAIRO).map((one) => one.at_ms);
		assert.ok(times.every((at) => at > now));
		assert.deepEqual(
			times,
			[...times].sort((one, other) => one - other),
		);
	}
});

test("what is written is read by the clock there, whatever the season", () => {
	for (const text of ["2026-12-01T18:30", "2026-07-01T00:00", "2026-10-30T12:00", "2026-04-24T09:15"])
		assert.equal(shown(written(text, CAIRO), CAIRO), text);
	assert.equal(written("2026-12-01T18:30", CAIRO), Date.UTC(2026, 11, 1, 16, 30));
	assert.equal(written("2026-07-01T18:30", CAIRO), Date.UTC(2026, 6, 1, 15, 30));
	assert.equal(written("2026-07-01T18:30", "America/New_York"), Date.UTC(2026, 6, 1, 22, 30));
	assert.ok(Number.isNaN(written("", CAIRO)));
	assert.ok(Number.isNaN(written("tomorrow", CAIRO)));
	// the night in which Cairo's clocks go forward: midnight is not on the wall
	const gap = written("2026-04-24T00:30", CAIRO);
	assert.ok(Math.abs(gap - Date.UTC(2026, 3, 23, 22, 30)) <= HOUR);
	assert.equal(at_hour(Date.UTC(2026, 9, 29, 10), 1, 9, CAIRO), Date.UTC(2026, 9, 30, 7));
});

test("a shift is announced at its beginning to whoever is away, and five minutes before its end to who is here", () => {
	const shift = { from_ms: 1000 * HOUR, to_ms: 1008 * HOUR };
	const kind = (presence, at_ms) => shift_news(shift, presence, at_ms)?.kind;
	assert.equal(kind("Offline", shift.from_ms - 1), undefined);
	assert.equal(kind("Offline", shift.from_ms), "begins");
	assert.equal(kind("Offline", shift.from_ms + 14 * MINUTE), "begins");
	assert.equal(kind("Offline", shift.from_ms + 15 * MINUTE), undefined);
	assert.equal(kind("Online", shift.from_ms), undefined);
	assert.equal(kind("Online", shift.to_ms - 5 * MINUTE - 1), undefined);
	assert.equal(kind("Online", shift.to_ms - 5 * MINUTE), "ends");
	assert.equal(kind("Away", shift.to_ms - 1), "ends");
	assert.equal(kind("Online", shift.to_ms), undefined);
	assert.equal(kind("Offline", shift.to_ms - 1), undefined);
	assert.equal(shift_news(null, "Offline", 1), null);
	const keys = [1, 2].map((minute) => shift_news(shift, "Offline", shift.from_ms + minute * MINUTE).key);
	assert.equal(keys[0], keys[1]);
});

test("macros are found by title and by what they say", () => {
	const macros = [
		{ title: "شكر وإغلاق", steps: [{ action: "Reply", text: "thank you" }] },
		{ title: "Night", steps: [{ action: "Tag", tag: "VIP" }] },
	];
	const titles = (text) => fitting(macros, text).map((one) => one.title);
	assert.deepEqual(titles("اغلاق"), ["شكر وإغلاق"]);
	assert.deepEqual(titles("thank"), ["شكر وإغلاق"]);
	assert.deepEqual(titles("vip"), ["Night"]);
	assert.equal(titles("").length, 2);
	assert.deepEqual(kept({ action: "Close", close_reason: "spam", text: "left over" }), {
		action: "Close",
		close_reason: "spam",
	});
});
