import assert from "node:assert/strict";
import { test } from "node:test";

import { without_zeros } from "../../khalifa_whatsapp/public/js/desk/numbers.js";

test("zeros that say nothing are left out, others stay", () => {
	const shown = {
		"15.000": "15",
		"0.250": "0.25",
		"1,500.000": "1,500",
		"0.000": "0",
		100: "100",
		"-2.50": "-2.5",
		"": "",
	};
	for (const [given, expected] of Object.entries(shown)) assert.equal(without_zeros(given, "."), expected);
	assert.equal(without_zeros("1.500,500", ","), "1.500,5");
	assert.equal(without_zeros("1.500,000", ","), "1.500");
});
