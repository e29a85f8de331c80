import assert from "node:assert/strict";
import { test } from "node:test";

import { may_be_joined, short_texts_in_a_row } from "../../khalifa_whatsapp/public/js/inbox/join_hint.js";

const NOW = 1_000_000;

function ours(ago_s, more = {}) {
	return {
		kind: "message",
		direction: "Outgoing",
		origin: "Agent",
		content_type: "text",
		body: "Hello",
		sent_ms: NOW - ago_s * 1000,
		...more,
	};
}
const theirs = (ago_s) => ours(ago_s, { direction: "Incoming", origin: "Customer" });

test("short answers soon after each other are counted from the end", () => {
	assert.equal(short_texts_in_a_row([ours(50), ours(30), ours(10)], NOW), 3);
	assert.equal(short_texts_in_a_row([ours(200), ours(30), ours(10)], NOW), 2);
	assert.equal(short_texts_in_a_row([ours(90), ours(80)], NOW), 0);
	assert.equal(short_texts_in_a_row([], NOW), 0);
});

test("the customer, a file, a long text or a machine ends the row; a note and an event do not", () => {
	const enders = [
		theirs(20),
		ours(20, { content_type: "image" }),
		ours(20, { body: "x".repeat(81) }),
		ours(20, { origin: "Auto" }),
	];
	for (const between of enders) assert.equal(short_texts_in_a_row([ours(30), between, ours(10)], NOW), 1);
	for (const between of [ours(20, { is_note: true, origin: "Note" }), { kind: "event", at_ms: NOW }]) {
		assert.equal(short_texts_in_a_row([ours(30), between, ours(10)], NOW), 2);
	}
});

test("it is said while a third short text is written, and of no long or empty one", () => {
	const items = [ours(30), ours(10)];
	assert.equal(may_be_joined(items, "and this", NOW), true);
	assert.equal(may_be_joined(items, "  ", NOW), false);
	assert.equal(may_be_joined(items, "x".repeat(81), NOW), false);
	assert.equal(may_be_joined(items.slice(1), "and this", NOW), false);
});
