import assert from "node:assert/strict";
import { test } from "node:test";

import { choose, languages_of } from "../../khalifa_whatsapp/public/js/inbox/reply_choice.js";

const REPLIES = [
	{ shortcut: "توصيل", language: "Arabic", category: "Delivery", search: "توصيل الطلب في الطريق شكرا" },
	{ shortcut: "شكرا", language: "Arabic", category: "", search: "شكرا الختام" },
	{ shortcut: "thanks", language: "English", category: "", search: "thanks bye" },
	{ shortcut: "map", language: "", category: "Delivery", search: "map https://example.com" },
];
const names = (wish) =>
	choose(REPLIES, { search: "", language: "", category: "", ...wish }).map((one) => one.shortcut);

test("title and text are searched as people type Arabic", () => {
	assert.deepEqual(names({ search: "شُكراً" }), ["شكرا", "توصيل"]);
	assert.deepEqual(names({ search: "الطريق طلب" }), ["توصيل"]);
	assert.deepEqual(names({ search: "nothing" }), []);
});

test("language and category narrow the list; what has no language fits any", () => {
	assert.deepEqual(names({ language: "English" }), ["thanks", "map"]);
	assert.deepEqual(names({ category: "Delivery", language: "Arabic" }), ["توصيل", "map"]);
	assert.deepEqual(names({}), ["توصيل", "شكرا", "thanks", "map"]);
	assert.deepEqual(languages_of(REPLIES), ["Arabic", "English"]);
});
