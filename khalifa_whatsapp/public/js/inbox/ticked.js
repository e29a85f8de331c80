// The lines that are ticked, for acts on all of them. A choice is of names: what leaves the list meanwhile
// stays ticked, and the server says what became of it.

export class Ticked {
	constructor() {
		this.clear();
	}

	clear() {
		this.names = new Set();
		this.last = null;
	}

	get size() {
		return this.names.size;
	}

	has(ticket) {
		return this.names.has(ticket);
	}

	// `rows`: the list as it is shown; `is_range`: all from the last one that was ticked
	toggle(ticket, rows = [], is_range = false) {
		const range = is_range ? this.between(ticket, rows) : null;
		if (range) for (const name of range) this.names.add(name);
		else if (!this.names.delete(ticket)) this.names.add(ticket);
		this.last = ticket;
	}

	between(ticket, rows) {
		const place = (name) => rows.findIndex((row) => row.ticket === name);
		const [from, to] = [place(this.last), place(ticket)].sort((one, other) => one - other);
		return from < 0 ? null : rows.slice(from, to + 1).map((row) => row.ticket);
	}

	set(names) {
		this.names = new Set(names);
	}
}
