// The lines that are known, in the list's order: by `place`, then by name, as the server's pages come.
// Nothing here draws.

export class Rows {
	constructor() {
		this.reset({ rows: [], next_cursor: "", is_descending: true });
	}

	// A list begins anew with its first page
	reset(page) {
		this.is_descending = page.is_descending;
		this.list = page.rows;
		this.known = new Map(page.rows.map((row) => [row.ticket, row]));
		this.reach(page);
	}

	// Up to where the list is known. The edge is where that page ended, also when its last line has moved
	// since
	reach(page) {
		this.cursor = page.next_cursor;
		this.edge = page.next_cursor ? page.rows[page.rows.length - 1] : null;
	}

	add(page) {
		this.reach(page);
		for (const row of page.rows) this.put(row);
	}

	// The first page again: what it should hold and does not has left the list. Lines further down stay as
	// they are
	renew(page) {
		const end = page.next_cursor ? page.rows[page.rows.length - 1] : null;
		const held = new Set(page.rows.map((row) => row.ticket));
		for (const row of [...this.list]) {
			if (!held.has(row.ticket) && (!end || this.compare(row, end) <= 0)) this.remove(row.ticket);
		}
		if (!end || (this.edge && this.compare(end, this.edge) > 0)) this.reach(page);
		for (const row of page.rows) this.put(row);
	}

	// What the server says of the lines that were asked for: those that it does not name, or not as listed,
	// are gone
	take(asked, rows) {
		const by_ticket = new Map(rows.map((row) => [row.ticket, row]));
		for (const ticket of asked) {
			const row = by_ticket.get(ticket);
			if (row?.is_listed) this.put(row);
			else this.remove(ticket);
		}
	}

	put(row) {
		const known = this.known.get(row.ticket);
		if (known && known.version > row.version) return; // an answer that was overtaken
		if (known) this.remove(row.ticket);
		// further down than we have read: its page brings it
		if (this.edge && this.compare(row, this.edge) > 0) return;
		this.list.splice(this.place_for(row), 0, row);
		this.known.set(row.ticket, row);
	}

	remove(ticket) {
		if (!this.known.delete(ticket)) return;
		this.list.splice(this.find(ticket), 1);
	}

	find(ticket) {
		return this.list.findIndex((row) => row.ticket === ticket);
	}

	place_for(row) {
		let low = 0;
		let high = this.list.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.compare(this.list[middle], row) < 0) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	compare(one, other) {
		const by_name = one.ticket < other.ticket ? -1 : one.ticket > other.ticket ? 1 : 0;
		const step = one.place - other.place || by_name;
		return this.is_descending ? -step : step;
	}
}
