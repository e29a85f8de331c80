import assert from "node:assert/strict";
import { test } from "node:test";

import { is_window_closed, may_write, obstacle } from "../../khalifa_whatsapp/public/js/inbox/writing.js";

const OPEN = { is_open: true, until_ms: 1 };
const OVER = { is_open: false, until_ms: 1 };

function thread({ service_window = OPEN, text = true, held = "", rights = {}, ...head } = {}) {
	return {
		head: { status: "Open", rights: { reply: true, assign: false, ...rights }, ...head },
		can: { text, held },
		service_window,
	};
}

test("after 24 hours nothing but a template may go, and that is what is said", () => {
	assert.deepEqual([may_write(thread()), is_window_closed(thread())], [true, false]);
	const late = thread({ service_window: OVER });
	assert.deepEqual([may_write(late), is_window_closed(late), obstacle(late)], [false, true, "window"]);
});

test("a gateway without that window has none that could be over", () => {
	for (const service_window of [null, undefined]) {
		assert.equal(may_write(thread({ service_window })), true);
		assert.equal(is_window_closed(thread({ service_window })), false);
	}
});

test("who may not answer learns who does, not what the number could send", () => {
	for (const service_window of [OPEN, OVER, null]) {
		assert.equal(obstacle(thread({ service_window, rights: { reply: false, assign: true } })), "nobody");
		assert.equal(obstacle(thread({ service_window, rights: { reply: false } })), "somebody");
		assert.equal(may_write(thread({ service_window, rights: { reply: false } })), false);
	}
});

test("a closed conversation says that before all else", () => {
	const closed = {
		status: "Closed",
		service_window: OVER,
		cannot_answer: "the number moved",
		text: false,
		held: "paused",
	};
	assert.equal(obstacle(thread({ ...closed, rights: { reply: false, assign: true } })), "closed");
	assert.equal(obstacle(thread(closed)), "closed");
});

test("nowhere to send to goes before the window, and the window before the device", () => {
	assert.equal(
		obstacle(thread({ cannot_answer: "the number moved", service_window: OVER })),
		"cannot_answer",
	);
	assert.equal(may_write(thread({ cannot_answer: "the number moved" })), false);
	assert.equal(obstacle(thread({ service_window: OVER, text: false, held: "paused" })), "window");
	assert.equal(obstacle(thread({ text: false, held: "paused" })), "held");
	assert.equal(obstacle(thread({ text: false })), "off");
	assert.equal(may_write(thread({ text: false })), false);
});

test("a device that only waits takes the text: it goes later", () => {
	assert.equal(may_write(thread({ held: "paused" })), true);
});
