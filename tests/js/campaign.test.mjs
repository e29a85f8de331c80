import assert from "node:assert/strict";
import { test } from "node:test";

import { STATES, filled, progress } from "../../khalifa_whatsapp/public/js/campaign/progress.js";

test("the bar has a part for each state that somebody is in, and they fill it", () => {
	const shown = progress({ Replied: 1, Failed: 2, Planned: 5, Skipped: 90, Read: 0 });
	assert.deepEqual(
		shown.segments.map(({ state, width }) => [state, width]),
		[
			["Replied", 12.5],
			["Failed", 25],
			["Planned", 62.5],
		],
	);
	assert.deepEqual([shown.recipients, shown.skipped, shown.share], [8, 90, 0.375]);
});

test("who has not been written to yet is not done", () => {
	assert.equal(progress({ Planned: 3, Queued: 1 }).share, 0);
	assert.equal(progress({ Cancelled: 3, Sent: 1 }).share, 1);
	assert.equal(progress({}).share, 0);
});

test("every state has a place and a colour of its own", () => {
	assert.equal(new Set(STATES.map(([state]) => state)).size, STATES.length);
	assert.equal(new Set(STATES.map(([, colour]) => colour)).size, STATES.length);
});

test("sentences are filled in, and what is not given stays as it is", () => {
	assert.equal(filled("Line {line}: {text}", { line: 3, text: "{line}" }), "Line 3: {line}");
	assert.equal(filled("Line {line}", '{"line": 4}'), "Line 4");
	assert.equal(filled("Line {line}", "no json"), "Line {line}");
	assert.equal(filled(null, null), "");
	assert.equal(filled("{constructor}", {}), "{constructor}");
});
