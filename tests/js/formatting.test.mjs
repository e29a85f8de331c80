import assert from "node:assert/strict";
import { test } from "node:test";

import { pieces } from "../../khalifa_whatsapp/public/js/desk/formatting.js";

const shown = (text) => pieces(text).map(({ text: part, tag }) => (tag ? `<${tag}>${part}` : part));

test("marks at the edges of words are formatting", () => {
	assert.deepEqual(shown("*خصم* على _كل_ ~50~ ```a * b```"), [
		"<b>خصم",
		" على ",
		"<i>كل",
		" ",
		"<s>50",
		" ",
		"<code>a * b",
	]);
});

test("other marks are text, and nothing is lost", () => {
	for (const text of ["2*3*4", "* a *", "a_b_c", "**", "*", "", "~", "```", "*a\nb*", "_a"]) {
		assert.deepEqual(shown(text), text ? [text] : []);
	}
});
