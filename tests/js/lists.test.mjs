import assert from "node:assert/strict";
import { test } from "node:test";

import { PIECE, in_pieces } from "../../khalifa_whatsapp/public/js/inbox/bulk.js";
import { Ticked } from "../../khalifa_whatsapp/public/js/inbox/ticked.js";
import { wait } from "../../khalifa_whatsapp/public/js/inbox/wait.js";
import { Wanted, is_same } from "../../khalifa_whatsapp/public/js/inbox/wanted.js";
import {
	HEIGHT,
	anchor,
	below,
	drawn,
	in_sight,
	kept,
	revealing,
} from "../../khalifa_whatsapp/public/js/inbox/window.js";

const MINUTE = 60000;
const rows = (...names) => names.map((ticket) => ({ ticket }));

test("a wait counts down to its limit and then up", () => {
	const noon = 1000 * MINUTE;
	const row = {
		status: "Open",
		due_by_ms: noon + 15 * MINUTE,
		late_soon_ms: noon + 10 * MINUTE,
		waited: { zero_ms: noon, from_ms: 0, until_ms: noon * 9, limit_ms: 15 * MINUTE },
	};
	const said = (minutes) => {
		const { kind, ms, level } = wait(row, noon + minutes * MINUTE);
		return [kind, ms / MINUTE, level].join(" ");
	};
	assert.equal(said(0), "left 15 ");
	assert.equal(said(2.5), "left 13 ");
	assert.equal(said(10), "left 5 warn");
	assert.equal(said(14.9), "left 1 warn");
	assert.equal(said(15), "left 1 warn");
	assert.equal(said(15.1), "over 1 bad");
	assert.equal(said(20), "over 5 bad");
});

test("while the branch is closed a wait stands still", () => {
	const row = {
		status: "Queued",
		due_by_ms: 900 * MINUTE,
		late_soon_ms: 800 * MINUTE,
		waited: { zero_ms: 90 * MINUTE, from_ms: 0, until_ms: 100 * MINUTE, limit_ms: 15 * MINUTE },
	};
	assert.equal(wait(row, 100 * MINUTE).ms, 5 * MINUTE);
	assert.equal(wait(row, 400 * MINUTE).ms, 5 * MINUTE);
});

test("without a limit it says how long, and nothing where nobody waits", () => {
	const waited = { zero_ms: 0, from_ms: 0, until_ms: 99 * MINUTE, limit_ms: null };
	assert.deepEqual(wait({ status: "Open", waited }, 7 * MINUTE), {
		kind: "waited",
		ms: 7 * MINUTE,
		level: "",
		lasted: 7 * MINUTE,
	});
	assert.equal(wait({ status: "Closed", waited }, 1), null);
	assert.equal(wait({ status: "Open", waited: null }, 1), null);
});

test("what is drawn covers what is in sight, wherever one is, and stays small", () => {
	for (const size of [0, 1, 7, 50, 100000])
		for (const height of [0, 300, 900, 20000])
			for (let top = 0; top <= Math.min(size, 3000) * HEIGHT; top += 997) {
				const { first, last } = drawn(top, height, size);
				assert.ok(first >= 0 && first <= last && last <= size);
				const at = Math.min(Math.floor(top / HEIGHT), size);
				const needed = Math.min(size, at + Math.ceil(height / HEIGHT));
				assert.ok(at === size || (first <= at && last >= needed), `${top} ${height} ${size}`);
				assert.ok(last - first <= Math.max(120, Math.ceil(height / HEIGHT) + 40));
			}
});

test("whoever reads further down keeps the place, and at the beginning sees what is new", () => {
	const before = rows("a", "b", "c", "d", "e");
	const held = anchor(before, 2 * HEIGHT + 13, new Set());
	assert.deepEqual(held, { ticket: "c", offset: 13 });
	assert.equal(kept(rows("x", "a", "b", "c", "d", "e"), held, 173), 3 * HEIGHT + 13);
	assert.equal(kept(rows("a", "b"), held, 173), 173, "the anchor is gone");
	assert.equal(anchor(before, 0, new Set()), null);
	assert.equal(anchor(before, 2 * HEIGHT, new Set(["c"])).ticket, "d", "what moves holds nothing");
});

test("lines in sight, below, and how far to scroll to one", () => {
	const list = rows(..."abcdefghij");
	assert.deepEqual(
		in_sight(list, 2 * HEIGHT, 2 * HEIGHT).map(({ ticket }) => ticket),
		["c", "d", "e"],
	);
	assert.equal(below(2 * HEIGHT, 2 * HEIGHT, 10), 6);
	assert.equal(revealing(0, 160, 400), 0);
	assert.equal(revealing(9, 0, 400), 10 * HEIGHT - 400);
	assert.equal(revealing(3, 160, 400), 160, "it is in sight");
	assert.equal(revealing(-1, 160, 400), 160);
});

test("lines are ticked one by one, and all between two", () => {
	const ticked = new Ticked();
	const list = rows("a", "b", "c", "d");
	ticked.toggle("b");
	ticked.toggle("d", list, true);
	assert.deepEqual([...ticked.names], ["b", "c", "d"]);
	ticked.toggle("c");
	assert.deepEqual([...ticked.names], ["b", "d"]);
	ticked.toggle("a", list, true);
	assert.deepEqual([...ticked.names].sort(), ["a", "b", "c", "d"]);
	ticked.clear();
	ticked.toggle("d", list, true);
	assert.deepEqual([...ticked.names], ["d"], "there is no first one");
});

test("what was done and what was not is each conversation once, whatever the network does", async () => {
	const names = Array.from({ length: 2 * PIECE + 5 }, (_, number) => `t${number}`);
	const seen = [];
	const send = (piece) =>
		Promise.resolve(
			piece.map((ticket) => ({
				ticket,
				is_done: ticket !== "t3",
				why: ticket === "t3" ? "not yours" : "",
			})),
		);
	const whole = await in_pieces(names, send, (count) => seen.push(count));
	assert.deepEqual(seen, [PIECE, 2 * PIECE, names.length]);
	assert.equal(whole.done.length, names.length - 1);
	assert.deepEqual(
		whole.left.map(({ ticket, why }) => [ticket, why]),
		[["t3", "not yours"]],
	);
	let calls = 0;
	const breaks = (piece) => (++calls > 1 ? Promise.reject({ text: "no answer" }) : send(piece));
	const broken = await in_pieces(names, breaks);
	assert.equal(broken.done.length, PIECE - 1);
	assert.equal(broken.left.length, PIECE + 6);
	assert.equal(broken.left[1].why, "no answer");
	const silent = await in_pieces(["a"], () => Promise.resolve([]));
	assert.equal(silent.left.length, 1, "what the answer does not name was not done");
});

test("a list asks for what is chosen", () => {
	const wanted = new Wanted("mine");
	assert.deepEqual(wanted.asked, { view: "mine", search: "", filters: null, sort: null });
	wanted.narrow("tag", "VIP");
	wanted.narrow("branch", "North");
	wanted.order("due");
	assert.deepEqual(wanted.asked, {
		view: "mine",
		search: "",
		filters: '{"branch":"North","tag":"VIP"}',
		sort: "due",
	});
	const same = new Wanted("mine");
	same.narrow("branch", "North");
	same.narrow("tag", "VIP");
	same.order("due");
	assert.ok(is_same(wanted.asked, same.asked), "in whatever order it was chosen");
	wanted.choose("queue");
	assert.deepEqual([wanted.filters.tag, wanted.sort, wanted.order_shown], ["VIP", "", "waiting"]);
	wanted.order("waiting");
	assert.equal(wanted.sort, "", "the tab's own");
	wanted.narrow("tag", "");
	wanted.narrow("branch", "");
	assert.equal(wanted.is_narrowed, false);
});

test("a kept list brings its own, and leaves nothing of it behind", () => {
	const wanted = new Wanted("mine");
	wanted.open({ name: "Late VIP", view: "all", filters: { tag: "VIP" }, sort: "due" });
	assert.deepEqual([wanted.kept, wanted.view, wanted.filters.tag], ["Late VIP", "all", "VIP"]);
	wanted.choose("mine");
	assert.deepEqual([wanted.kept, wanted.filters, wanted.sort], ["", {}, ""]);
	wanted.open({ name: "x", view: "all", filters: { tag: "VIP" }, sort: "" });
	wanted.narrow("is_unread", true);
	assert.equal(wanted.kept, "", "it is another list now");
});
