// What is done to lines of the list without opening them: one by its menu, or all that are ticked.

import { in_pieces } from "./bulk.js";
import { pressed } from "./keys.js";
import { attempt, read, toast } from "./util.js";

const PRESENCE = { Online: "🟢", Away: "🟠", Offline: "⚪" };

export class LineActs {
	constructor(list) {
		this.list = list;
		this.inbox = list.inbox;
	}

	// What components ask for
	does() {
		return {
			open: (row) => this.open(row),
			key: (event) => this.key(event),
			tick: (ticket, is_range) => this.tick(ticket, is_range),
			untick: () => this.untick(),
			tick_all: () => this.tick_all(),
			menu: (row, event) => this.menu(row, event),
			close_menu: (is_key) => this.close_menu(is_key),
			act: (name, row) => this.act(name, row),
			name_of: (ticket) => this.list.rows.known.get(ticket)?.customer_name || ticket,
			receivers: () => this.receivers(),
			run: (act, args, tickets, report) => this.run(act, args, tickets, report),
			close_outcome: () => (this.list.shown.outcome = null),
		};
	}

	// Keys in the list; what nothing comes of is left to the page
	key(event) {
		const key = pressed(event); // by its place, also where the keyboard writes Arabic
		if (event.altKey || (event.ctrlKey || event.metaKey) !== (key === "a")) return;
		const does = {
			ArrowDown: () => this.list.move(1),
			ArrowUp: () => this.list.move(-1),
			" ": () => this.list.tick_current(),
			a: () => this.tick_all().catch((error) => toast(error.text, "red")),
			Escape: this.list.ticked.size > 0 && (() => this.untick()),
		}[key];
		if (!does) return;
		event.preventDefault();
		event.stopPropagation();
		does();
	}

	// A hit leads to its message
	open(row) {
		const message = row.matched?.message;
		const opened = this.inbox.open(row.ticket);
		if (message) Promise.resolve(opened).then(() => this.jump(row.ticket, message));
	}

	jump(ticket, message) {
		if (this.inbox.ticket === ticket) this.inbox.thread.jump_to(message);
	}

	// Ticks

	tick(ticket, is_range = false) {
		this.list.ticked.toggle(ticket, this.list.rows.list, is_range);
		this.ticks_changed();
	}

	untick() {
		this.list.ticked.clear();
		this.ticks_changed();
	}

	tick_all() {
		return read("inbox_bulk.names", this.list.wanted()).then(({ tickets, is_cut, limit }) => {
			this.list.ticked.set(tickets);
			this.ticks_changed();
			if (is_cut) toast(__("The first {0} are ticked: more can't be changed at once.", [limit]));
		});
	}

	ticks_changed() {
		Object.assign(this.list.shown, { ticked: new Set(this.list.ticked.names), menu: null });
		// room for the lines
		if (this.list.ticked.size) Object.assign(this.list.shown, { outcome: null, is_narrowing: false });
	}

	// The menu of a line

	menu(row, event) {
		const box = event.currentTarget.getBoundingClientRect();
		const at = event.clientX ? { x: event.clientX, y: event.clientY } : { x: box.left, y: box.bottom };
		this.list.shown.menu = { row, at };
	}

	close_menu(is_key = false) {
		this.list.shown.menu = null;
		if (is_key) this.list.sight.box.focus();
	}

	act(name, row) {
		this.close_menu(true);
		if (name === "tick") return this.tick(row.ticket);
		if (name === "unread") return this.unread(row);
		return this.pin(row, name === "pin");
	}

	pin({ ticket }, is_pinned) {
		return attempt("inbox_settings.pin", { ticket, is_pinned: is_pinned ? 1 : 0 })
			.then(() => this.inbox.live.now(ticket))
			.catch((error) => toast(error.text, "red"));
	}

	// What lies open would be read again at once: it is closed first
	unread({ ticket }) {
		return attempt("conversation.mark_unread", { ticket })
			.then(() => {
				if (this.inbox.ticket === ticket) {
					this.inbox.close();
					this.list.show_address();
				}
				return this.inbox.live.now(ticket);
			})
			.catch((error) => toast(error.text, "red"));
	}

	// What one has just closed leaves; who wishes so goes on with the next one
	after_closing(ticket) {
		if (!this.list.shown.opens_next || this.inbox.ticket !== ticket) return null;
		const next = [this.list.beside(ticket, 1), this.list.beside(ticket, -1)].find(
			(row) => row && row.ticket !== ticket && row.status !== "Closed",
		);
		if (next) return this.inbox.open(next.ticket);
		this.inbox.close();
		return this.list.show_address();
	}

	// Many at once

	close_reasons() {
		const labels = {
			resolved: __("Resolved"),
			no_reply_needed: __("No reply needed"),
			spam: __("Spam"),
			inactive: __("The customer does not answer"),
		};
		return this.inbox.close_reasons.map((value) => ({ value, label: labels[value] || value }));
	}

	receivers() {
		return read("inbox.agents").then((agents) => [
			...agents.map((one) => ({
				value: `agent:${one.agent}`,
				label: `${PRESENCE[one.availability] || ""} ${one.name} (${one.load}/${one.capacity})`,
			})),
			...this.inbox.branches.map((name) => ({ value: `branch:${name}`, label: name })),
		]);
	}

	run(act, args, tickets = [...this.list.ticked.names], report = () => {}) {
		const send = (piece) =>
			attempt(`inbox_bulk.${act}`, { tickets: JSON.stringify(piece), ...args }).then(
				({ results }) => results,
			);
		return in_pieces(tickets, send, report).then((outcome) => {
			this.untick();
			this.list.shown.outcome = { act, ...outcome };
			this.list.refresh();
			if (tickets.includes(this.inbox.ticket)) this.inbox.thread.changed();
		});
	}
}
