import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Connection } from "../../khalifa_whatsapp/public/js/desk/connection.js";

const BEAT = 60_000;
const PATIENCE = 5_000;

let page;

// A page of Desk as far as the connection needs it: a socket, and a server that answers a beat or refuses it
beforeEach((context) => {
	const events = new Map();
	page = {
		beats: 0,
		reconnects: 0,
		joined: [],
		events,
		is_connected: true,
		refuse: null,
		changes: [],
		answers: [],
	};
	const socket = {
		get connected() {
			return page.is_connected;
		},
		disconnect: () => ({ connect: () => (page.reconnects += 1) }),
	};
	globalThis.__ = (text) => text;
	globalThis.frappe = {
		csrf_token: "t",
		realtime: {
			on: (name, act) => events.set(name, act),
			socket,
			doctype_subscribe: (name) => page.joined.push(name),
		},
	};
	globalThis.fetch = async () => {
		page.beats += 1;
		const [status, body] = page.refuse
			? [403, { code: page.refuse }]
			: [200, { message: { agent: "A1" } }];
		return { status, ok: status === 200, text: async () => JSON.stringify(body) };
	};
	globalThis.document = { cookie: "" };
	globalThis.DOMParser = class {
		parseFromString = (text) => ({ body: { textContent: text } });
	};
	context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
	page.connection = new Connection(
		() => page.changes.push(page.connection.is_up),
		(answers) => page.answers.push(answers),
	);
	page.pass = async (ms) => {
		context.mock.timers.tick(ms);
		await settled();
	};
});

const settled = async () => {
	for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
const received = () => page.events.get("khalifa_whatsapp:here")();

test("a beat that is answered through the socket says that the page receives events", async () => {
	page.connection.listen();
	await page.pass(1000);
	received();
	await page.pass(PATIENCE);
	assert.deepEqual([page.beats, page.changes, page.answers], [1, [], [{ agent: "A1" }]]);
});

test("no answer through the socket in five seconds: it receives nothing, until one comes", async () => {
	page.connection.listen();
	await page.pass(PATIENCE - 1);
	assert.deepEqual(page.changes, []);
	await page.pass(1);
	assert.deepEqual(page.changes, [false], "though the server answered the request");
	received();
	assert.deepEqual(page.changes, [false, true]);
	received();
	assert.deepEqual(page.changes, [false, true], "only a change is a change");
});

test("a page that receives nothing connects anew with the next beat, one that receives does not", async () => {
	page.connection.listen();
	received();
	await page.pass(BEAT);
	received();
	await page.pass(BEAT);
	assert.deepEqual([page.reconnects, page.beats], [0, 3]);
	await page.pass(PATIENCE); // nobody answers the third
	assert.deepEqual([page.changes, page.reconnects], [[false], 0]);
	await page.pass(BEAT);
	assert.equal(page.reconnects, 1);
});

test("after each new connection it is in its rooms again", async () => {
	page.connection.listen();
	page.connection.enter("Khalifa Ticket");
	assert.deepEqual(page.joined, ["Khalifa Ticket"]);
	page.events.get("connect")();
	assert.deepEqual(page.joined, ["Khalifa Ticket", "Khalifa Ticket"]);
	page.is_connected = false;
	page.events.get("connect")();
	assert.equal(page.joined.length, 2, "without a socket nothing is asked of it");
});

test("who may work here no longer asks no more, until let in again", async () => {
	page.refuse = "not_permitted";
	page.connection.listen();
	await page.pass(1);
	assert.equal(page.connection.is_stopped, true);
	assert.deepEqual(page.answers, [{ agent: null, standing: null }]);
	await page.pass(3 * BEAT);
	assert.deepEqual([page.beats, page.changes], [1, []]);
	page.refuse = null;
	page.connection.resume();
	await page.pass(BEAT);
	assert.equal(page.beats, 3);
});

test("any other refusal of a beat stops nothing", async () => {
	page.refuse = "busy";
	page.connection.listen();
	await page.pass(2 * BEAT);
	assert.deepEqual([page.beats, page.connection.is_stopped], [3, undefined]);
});
