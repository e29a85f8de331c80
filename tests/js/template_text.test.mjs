import assert from "node:assert/strict";
import { test } from "node:test";

import { filled, fitting } from "../../khalifa_whatsapp/public/js/inbox/template_text.js";

const ONE = {
	template_name: "order_ready",
	language: "ar",
	header: "طلب {{1}}",
	body: "أهلاً {{1}}، طلبك {{2}} جاهز",
	variables: [
		{ place: "header", name: "1" },
		{ place: "body", name: "1" },
		{ place: "body", name: "2" },
	],
};

test("values go to their own places, and what is missing stays", () => {
	assert.deepEqual(filled(ONE, ["42", "{{2}}", ""]), {
		header: "طلب 42",
		body: "أهلاً {{2}}، طلبك {{2}} جاهز",
	});
});

test("templates are searched by name, language and text", () => {
	assert.deepEqual(fitting([ONE], "اهلا"), [ONE]);
	assert.deepEqual(fitting([ONE], "order ar"), [ONE]);
	assert.deepEqual(fitting([ONE], "offer"), []);
});
