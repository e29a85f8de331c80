import assert from "node:assert/strict";
import { test } from "node:test";

import { Rows } from "../../khalifa_whatsapp/public/js/inbox/rows.js";

const row = (ticket, place, more = {}) => ({ ticket, place, version: 1, is_listed: true, ...more });
const page = (rows, next_cursor = "", is_descending = true) => ({ rows, next_cursor, is_descending });
const names = (rows) => rows.list.map(({ ticket }) => ticket).join(" ");

function made(...pages) {
	const rows = new Rows();
	rows.reset(pages[0]);
	for (const more of pages.slice(1)) rows.add(more);
	return rows;
}

test("a line that changes takes its new place, and is there once", () => {
	const rows = made(page([row("a", 30), row("b", 20), row("c", 10)]));
	rows.put(row("c", 40, { version: 2 }));
	assert.equal(names(rows), "c a b");
	rows.put(row("d", 20));
	assert.equal(names(rows), "c a d b", "of equals the name decides, as the server's pages have it");
});

test("a rising list is sorted the other way round", () => {
	const rows = made(page([row("a", 10), row("b", 20)], "", false));
	rows.put(row("c", 15));
	rows.put(row("aa", 10));
	assert.equal(names(rows), "a aa c b");
});

test("an answer that was overtaken changes nothing", () => {
	const rows = made(page([row("a", 30, { version: 7 }), row("b", 20)]));
	rows.put(row("a", 10, { version: 6 }));
	assert.equal(names(rows), "a b");
	rows.put(row("a", 10, { version: 7, text: "new" }));
	assert.equal(names(rows), "b a");
	assert.equal(rows.known.get("a").text, "new");
});

test("what belongs further down than was read waits for its page", () => {
	const rows = made(page([row("a", 30), row("b", 20)], "cursor-b"));
	rows.put(row("z", 5));
	assert.equal(names(rows), "a b");
	rows.put(row("m", 25));
	assert.equal(names(rows), "a m b");
	rows.put(row("a", 5, { version: 2 }));
	assert.equal(names(rows), "m b", "it moved below the edge");
	rows.add(page([row("a", 5, { version: 2 }), row("z", 5)]));
	assert.equal(names(rows), "m b z a");
	assert.equal(rows.edge, null, "the end of the list is known");
});

test("lines that the server no longer names, or not as listed, are gone", () => {
	const rows = made(page([row("a", 30), row("b", 20), row("c", 10)]));
	rows.take(["a", "b", "x"], [row("a", 31, { version: 2 }), row("b", 20, { is_listed: false })]);
	assert.equal(names(rows), "a c");
	assert.equal(rows.known.has("b"), false);
});

test("the first page again takes away what left, and leaves what lies further down", () => {
	const rows = made(
		page([row("a", 50), row("b", 40)], "cursor-b"),
		page([row("c", 30), row("d", 20)], "cursor-d"),
	);
	rows.renew(page([row("b", 40), row("n", 35)], "cursor-n"));
	assert.equal(names(rows), "b n c d");
	assert.equal(rows.cursor, "cursor-d", "the list is known as far as before");
	rows.renew(page([row("b", 40)]));
	assert.equal(names(rows), "b", "a first page that is the whole list");
	assert.equal(rows.cursor, "");
});

test("a first page that reaches further than was known is the new edge", () => {
	const rows = made(page([row("a", 50)], "cursor-a"));
	rows.renew(page([row("a", 50), row("b", 40)], "cursor-b"));
	assert.deepEqual([names(rows), rows.cursor, rows.edge.ticket], ["a b", "cursor-b", "b"]);
});

test("whatever comes in whatever order, the list is sorted and has each line once", () => {
	let seed = 7;
	const random = (most) => (seed = (seed * 16807) % 2147483647) % most;
	const rows = made(page([], "", true));
	const last = new Map();
	for (let step = 1; step <= 2000; step++) {
		const ticket = `t${random(40)}`;
		if (random(5) === 0) {
			rows.remove(ticket);
			last.delete(ticket);
		} else {
			last.set(ticket, row(ticket, random(30), { version: step }));
			rows.put(last.get(ticket));
		}
	}
	const wanted = [...last.values()].sort((one, other) => rows.compare(one, other));
	assert.ok(wanted.length > 10);
	assert.deepEqual(rows.list, wanted);
	assert.deepEqual(new Set(rows.known.keys()), new Set(last.keys()));
});
