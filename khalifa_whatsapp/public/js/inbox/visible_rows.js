// Only the lines in sight and some around them are in the document, however many there are; space stands for
// the rest.

import { el } from "./util.js";

export const HEIGHT = 80; // of one line, in pixels: the style sheet takes it from here
const MAX = 100; // lines in the document, also on a very tall screen
const AROUND = 24; // lines kept ready above and below
const STEP = 8; // what is drawn moves by so many lines, not by each

export class VisibleRows {
	constructor(box, draw, shown) {
		this.box = box;
		this.draw = draw;
		this.shown = shown;
		this.rows = [];
		this.nodes = new Map();
		this.above = el("div", { class: "kin-space", role: "presentation" });
		this.below = el("div", { class: "kin-space", role: "presentation" });
		box.style.setProperty("--kin-line-height", `${HEIGHT}px`);
		box.addEventListener("scroll", () => this.show(), { passive: true });
		new ResizeObserver(() => this.show()).observe(box);
	}

	// Other rows, or the same in another order; whoever reads further down keeps the place
	set(rows, size, moved = new Set()) {
		const anchor = this.anchor(moved);
		this.rows = [...rows];
		this.size = size; // of the whole list, -1 when nobody has counted it
		if (!rows.length) return this.clear();
		if (!this.above.isConnected) this.box.replaceChildren(this.above, this.below);
		this.stretch();
		const place = anchor ? rows.findIndex((row) => row.ticket === anchor.ticket) : -1;
		if (place >= 0) this.box.scrollTop = place * HEIGHT + anchor.offset;
		this.show(true);
	}

	clear() {
		this.nodes.clear();
		this.range = null;
		this.above.remove();
		this.below.remove();
	}

	// The line at the top edge, unless the list is at its beginning: there new lines shall be seen
	anchor(moved) {
		const top = this.box.scrollTop;
		if (top <= 0) return null;
		const from = Math.floor(top / HEIGHT);
		const place = this.rows.findIndex((row, at) => at >= from && !moved.has(row.ticket));
		return place < 0 ? null : { ticket: this.rows[place].ticket, offset: top - place * HEIGHT };
	}

	stretch() {
		const { first, last } = (this.range = this.wanted());
		this.above.style.height = `${first * HEIGHT}px`;
		this.below.style.height = `${(this.rows.length - last) * HEIGHT}px`;
	}

	wanted() {
		const in_sight = Math.ceil(this.box.clientHeight / HEIGHT) + 1;
		const around = Math.max(STEP, Math.min(AROUND, (MAX - in_sight) >> 1));
		const top = Math.min(Math.floor(this.box.scrollTop / HEIGHT), this.rows.length);
		const first = Math.max(0, Math.floor((top - around) / STEP) * STEP);
		const last = Math.min(this.rows.length, Math.ceil((top + in_sight + around) / STEP) * STEP);
		return { first: Math.min(first, last), last };
	}

	show(is_new = false) {
		if (!this.rows.length) return;
		const { first, last } = this.wanted();
		if (!is_new && this.range?.first === first && this.range.last === last) return;
		const rows = this.rows.slice(first, last);
		const kept = new Set(rows.map((row) => row.ticket));
		for (const [ticket, node] of this.nodes) if (!kept.has(ticket)) this.drop(ticket, node);
		let next = this.above.nextSibling;
		rows.forEach((row, number) => {
			const old = this.nodes.get(row.ticket);
			const node = this.node(row, first + number);
			if (old === next && old !== node) next = old.nextSibling;
			if (old && old !== node) old.remove();
			if (node === next) next = next.nextSibling;
			else this.box.insertBefore(node, next);
		});
		this.stretch();
		this.shown();
	}

	node(row, place) {
		const held = this.nodes.get(row.ticket);
		const node = held?.khalifa_row === row ? held : this.draw(row);
		node.khalifa_row = row;
		node.setAttribute("aria-posinset", place + 1);
		node.setAttribute("aria-setsize", this.size);
		this.nodes.set(row.ticket, node);
		return node;
	}

	drop(ticket, node) {
		node.remove();
		this.nodes.delete(ticket);
	}

	in_sight() {
		const first = Math.floor(this.box.scrollTop / HEIGHT);
		return this.rows.slice(first, first + Math.ceil(this.box.clientHeight / HEIGHT) + 1);
	}

	// How many known lines lie below the lower edge
	left() {
		return this.rows.length - Math.ceil((this.box.scrollTop + this.box.clientHeight) / HEIGHT);
	}

	reveal(place) {
		const { scrollTop, clientHeight } = this.box;
		if (place < 0 || !clientHeight) return;
		if (place * HEIGHT < scrollTop) this.box.scrollTop = place * HEIGHT;
		else if ((place + 1) * HEIGHT > scrollTop + clientHeight)
			this.box.scrollTop = (place + 1) * HEIGHT - clientHeight;
		this.show();
	}
}
