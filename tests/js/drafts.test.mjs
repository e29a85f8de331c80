import assert from "node:assert/strict";
import { test } from "node:test";

import { Drafts, NOTE, REPLY } from "../../khalifa_whatsapp/public/js/inbox/drafts.js";

const KEYS = () => {
	let number = 0;
	return () => `key-${++number}`;
};

class Storage {
	rows = new Map();
	getItem = (place) => this.rows.get(place) ?? null;
	setItem = (place, text) => this.rows.set(place, text);
	removeItem = (place) => this.rows.delete(place);
}

const made = (storage = new Storage(), user = "mona") => new Drafts(storage, user, KEYS());

test("a note never comes back as an answer, nor an answer as a note", () => {
	const drafts = made();
	drafts.put("KT-1", NOTE, { ...drafts.get("KT-1", NOTE), text: "he never pays" });
	assert.equal(drafts.get("KT-1", REPLY).text, "");
	assert.equal(drafts.get("KT-1", NOTE).text, "he never pays");
	assert.equal(drafts.mode("KT-1"), NOTE);
	assert.equal(drafts.mode("KT-2"), REPLY);
});

test("what was written last is shown first", (context) => {
	context.mock.timers.enable({ apis: ["Date"], now: 1000 });
	const drafts = made();
	drafts.put("KT-1", NOTE, { ...drafts.get("KT-1", NOTE), text: "a" });
	context.mock.timers.tick(1);
	drafts.put("KT-1", REPLY, { ...drafts.get("KT-1", REPLY), text: "b" });
	assert.equal(drafts.mode("KT-1"), REPLY);
	drafts.drop("KT-1", REPLY);
	assert.equal(drafts.mode("KT-1"), NOTE);
});

test("a text keeps its key until it is dropped, in another tab too", () => {
	const storage = new Storage();
	const here = made(storage);
	const draft = here.get("KT-1", REPLY);
	here.put("KT-1", REPLY, { ...draft, text: "50 pounds", quoted: { message_key: "q" } });
	const there = new Drafts(storage, "mona", () => "another");
	assert.equal(there.get("KT-1", REPLY).key, draft.key);
	assert.deepEqual(there.get("KT-1", REPLY).quoted, { message_key: "q" });
	there.drop("KT-1", REPLY);
	assert.notEqual(here.get("KT-1", REPLY).key, draft.key);
	assert.equal(here.get("KT-1", REPLY).text, "");
});

test("a colleague at the same computer finds nothing", () => {
	const storage = new Storage();
	made(storage).put("KT-1", REPLY, { text: "mine", key: "k" });
	assert.equal(made(storage, "ali").get("KT-1", REPLY).text, "");
});

test("a text of before there were two is an answer, whatever it looks like", () => {
	for (const text of ["half a sen", "{", "null", "12", '{"text": 1}', "{}"]) {
		const storage = new Storage();
		storage.setItem("khalifa_draft:mona:KT-1", text);
		const drafts = made(storage);
		assert.equal(drafts.get("KT-1", REPLY).text, text);
		assert.equal(drafts.get("KT-1", NOTE).text, "");
		drafts.drop("KT-1", REPLY);
		assert.equal(drafts.get("KT-1", REPLY).text, "");
	}
});

test("a browser that stores nothing still keeps what is being written", () => {
	const full = {
		getItem: () => null,
		setItem: () => {
			throw new Error("full");
		},
		removeItem: () => {
			throw new Error("no");
		},
	};
	const drafts = made(full);
	drafts.put("KT-1", NOTE, { text: "a", key: "k" });
	assert.equal(drafts.get("KT-1", NOTE).key, "k");
	drafts.drop("KT-1", NOTE);
	assert.equal(drafts.get("KT-1", NOTE).text, "");
});
