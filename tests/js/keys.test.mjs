import assert from "node:assert/strict";
import { test } from "node:test";

import { pressed } from "../../khalifa_whatsapp/public/js/inbox/keys.js";

const ARABIC = {
	j: ["ت", "KeyJ"],
	k: ["ن", "KeyK"],
	r: ["ق", "KeyR"],
	n: ["ى", "KeyN"],
	t: ["ف", "KeyT"],
	e: ["ث", "KeyE"],
	q: ["ض", "KeyQ"],
	"/": ["ظ", "Slash"],
};

test("the keys of an Arabic keyboard are those in the same places", () => {
	for (const [name, [key, code]] of Object.entries(ARABIC))
		assert.equal(pressed({ key, code, shiftKey: false }), name);
	assert.equal(pressed({ key: "؟", code: "Slash", shiftKey: true }), "?");
	assert.equal(pressed({ key: "لا", code: "KeyB", shiftKey: false }), "b");
});

test("other scripts too", () => {
	assert.equal(pressed({ key: "о", code: "KeyJ", shiftKey: false }), "j");
	assert.equal(pressed({ key: "ח", code: "KeyJ", shiftKey: false }), "j");
});

test("a Latin letter is itself wherever its key lies, also with Caps Lock, and not with Shift", () => {
	assert.equal(pressed({ key: "j", code: "KeyC", shiftKey: false }), "j");
	assert.equal(pressed({ key: "J", code: "KeyJ", shiftKey: false }), "j");
	assert.equal(pressed({ key: "J", code: "KeyJ", shiftKey: true }), "J");
	assert.equal(pressed({ key: "ـ", code: "KeyJ", shiftKey: true }), "J");
	assert.equal(pressed({ key: "/", code: "Digit7", shiftKey: true }), "/", "a German keyboard");
	assert.equal(pressed({ key: "-", code: "Slash", shiftKey: false }), "-", "there it is no slash");
	assert.equal(pressed({ key: "?", code: "Minus", shiftKey: true }), "?");
});

test("keys without a sign keep their names", () => {
	for (const key of ["Enter", "Escape", "ArrowDown", "Tab", "F5"])
		assert.equal(pressed({ key, code: key, shiftKey: false }), key);
	assert.equal(pressed({ key: "Enter", code: "NumpadEnter", shiftKey: false }), "Enter");
	assert.equal(pressed({ key: "Unidentified", code: "", shiftKey: false }), "Unidentified");
	assert.equal(pressed({ key: "Dead", code: "KeyE", shiftKey: false }), "e");
});
