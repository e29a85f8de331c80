import assert from "node:assert/strict";
import { test } from "node:test";

import { Refusal, outcome } from "../../khalifa_whatsapp/public/js/desk/outcome.js";

const TEXTS = {
	no_answer: "none",
	refused: "refused",
	signed_out: "out",
	old_page: "old",
	too_large: "large",
};
const judged = (status, answer) =>
	outcome(
		{ status, ok: status < 300, body: typeof answer === "string" ? answer : JSON.stringify(answer) },
		TEXTS,
	);
const messages = (message) => JSON.stringify([JSON.stringify({ message })]);

test("an answer is its message, whatever that is", () => {
	for (const message of [{ a: 1 }, [], null, 0, "x"]) assert.deepEqual(judged(200, { message }), message);
	assert.equal(judged(200, {}), undefined);
});

test("a refusal is said in the server's words", () => {
	const refusal = judged(409, { code: "answered_meanwhile", _server_messages: messages("Mona answered") });
	assert.ok(refusal instanceof Refusal);
	assert.deepEqual(
		[refusal.code, refusal.text, refusal.is_unknown],
		["answered_meanwhile", "Mona answered", false],
	);
	assert.equal(judged(417, { exc_type: "ValidationError" }).text, "refused");
	const busy = judged(503, { code: "busy", _server_messages: messages("Busy") });
	assert.deepEqual([busy.code, busy.text, busy.is_unknown], ["busy", "Busy", false]);
});

test("of what is no answer of ours nobody knows what became", () => {
	const pages = [
		[502, "<html>Bad Gateway</html>"],
		[504, ""],
		[500, { exc_type: "OperationalError" }],
		[503, "<h1>"],
		[200, "<html>Welcome to the café</html>"],
		[200, ""],
		[200, "null"],
		[429, "slow down"],
	];
	for (const [status, body] of pages) {
		const refusal = judged(status, body);
		assert.deepEqual(
			[refusal.code, refusal.text, refusal.is_unknown],
			["no_answer", "none", true],
			`${status} ${body}`,
		);
	}
	assert.equal(judged(413, "<html>").text, "large");
});

test("who is signed out, or has an old page, is told so", () => {
	assert.equal(judged(401, { exc_type: "AuthenticationError" }).code, "signed_out");
	assert.equal(judged(403, { session_expired: 1, exc_type: "PermissionError" }).code, "signed_out");
	assert.equal(judged(200, { session_expired: 1 }).code, "signed_out");
	assert.equal(
		judged(400, { exc_type: "CSRFTokenError", _server_messages: messages("Invalid Request") }).code,
		"old_page",
	);
});
