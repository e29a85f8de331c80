import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { folded } from "../../khalifa_whatsapp/public/js/inbox/folding.js";

const PAIRS = JSON.parse(readFileSync(new URL("../data/folding.json", import.meta.url), "utf8"));

test("a text is folded in the page as it is on the server", () => {
	for (const [text, form] of PAIRS) assert.equal(folded(text), form, text);
});
