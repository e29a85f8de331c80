// Who else is writing here: shown at once when the server says so, gone when its time is over.

import { el } from "./util.js";

const SECONDS = 8; // of a notice without a time of its own

export class Typing {
	constructor() {
		this.until = new Map();
		this.root = el("div", { class: "kin-typing", "aria-live": "polite" });
	}

	add(name, seconds = SECONDS) {
		this.until.set(name, Date.now() + seconds * 1000);
		this.show();
	}

	// All names, as the server has them when it is asked
	set(names) {
		const known = this.until;
		this.until = new Map(names.map((name) => [name, known.get(name) || Date.now() + SECONDS * 1000]));
		this.show();
	}

	drop(name) {
		if (this.until.delete(name)) this.show();
	}

	clear() {
		this.until.clear();
		this.show();
	}

	show() {
		clearTimeout(this.timer);
		const now = Date.now();
		for (const [name, until] of this.until) if (until <= now) this.until.delete(name);
		const names = [...this.until.keys()].sort();
		const text = names.length ? __("{0} is writing here…", [names.join("، ")]) : "";
		if (this.root.textContent !== text) this.root.textContent = text;
		if (names.length)
			this.timer = setTimeout(() => this.show(), Math.min(...this.until.values()) - now + 20);
	}
}
