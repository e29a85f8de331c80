// The lines in sight: which are drawn while the list is scrolled and changes, and the place where one reads.
// The numbers are `window.js`.

import { nextTick } from "vue";

import { anchor, below, drawn, in_sight, kept, revealing } from "./window.js";

const NONE = new Set();

export class Sight {
	// `shown`: what the components draw, of which `rows`, `first` and `last` are set here
	constructor(shown) {
		this.shown = shown;
		this.top = null; // where to scroll once the rows are drawn
	}

	get is_at_top() {
		return this.box.scrollTop <= 0;
	}

	begin() {
		this.box.scrollTop = this.top = 0;
	}

	// Other rows, or the same in another order; whoever reads further down keeps the place. The promise is kept
	// when they are drawn
	put(rows, moved = NONE) {
		const top = this.top ?? this.box.scrollTop;
		this.top = kept(rows, anchor(this.shown.rows, top, moved), top);
		this.shown.rows = rows;
		this.fit();
		return nextTick().then(() => {
			if (this.top !== null && this.box.scrollTop !== this.top) this.box.scrollTop = this.top;
			this.top = null;
			this.fit();
		});
	}

	fit() {
		const top = this.top ?? this.box.scrollTop;
		Object.assign(this.shown, drawn(top, this.box.clientHeight, this.shown.rows.length));
	}

	names() {
		const rows = in_sight(this.shown.rows, this.box.scrollTop, this.box.clientHeight);
		return rows.map((row) => row.ticket);
	}

	// How many known lines lie below the lower edge
	left() {
		return below(this.box.scrollTop, this.box.clientHeight, this.shown.rows.length);
	}

	reveal(place) {
		const { scrollTop, clientHeight } = this.box;
		const top = revealing(place, scrollTop, clientHeight);
		if (top === scrollTop) return;
		this.box.scrollTop = top;
		this.fit();
	}
}
