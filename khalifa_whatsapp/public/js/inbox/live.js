// What the server tells, gathered for a moment and asked for together; and asking by the clock when it can't
// tell.
//
// An event carries a name and no content, so whoever hears too much still reads only what the server shows.

import { is_news, news } from "../desk/notifier.js";

const GATHER = 300;
const GATHER_MORE = 1000; // while events keep coming
const MOST_NAMES = 50; // that the server takes at once
const POLL_UP = 60000;
const POLL_DOWN = 15000;
const QUEUE_SOON = 1000; // somebody looks at the queue
const QUEUE_LATER = 15000; // only its number is in sight

export class Live {
	constructor(inbox) {
		this.inbox = inbox;
		this.names = new Set();
		this.news = new Set();
		this.told_of = new Set();
		this.hearing = khalifa.desk.hearing;
	}

	listen() {
		for (const kind of ["ticket", "status", "delay"])
			frappe.realtime.on(`khalifa_whatsapp:${kind}`, (told) => this.told(told));
		frappe.realtime.on(
			"khalifa_whatsapp:typing",
			(told) =>
				told.ticket === this.inbox.ticket && this.inbox.thread.signs.add(told.name, told.seconds),
		);
		frappe.realtime.on("khalifa_whatsapp:queue", () => this.queue_moved());
		this.hearing.enter("Khalifa Ticket");
		khalifa.desk.notifier.is_inbox = true;
		setInterval(() => this.poll(), POLL_DOWN);
	}

	hearing_changed() {
		this.inbox.socket_sign?.text(
			this.hearing.is_up ? "" : __("No live connection: looking every 15 seconds"),
		);
		this.polled = 0; // what was told between the last look and now, nobody heard
		this.poll();
	}

	// All pages hear of it in the same moment: each asks at a moment of its own, once for all that came
	// before
	queue_moved() {
		if (this.queue_timer || !this.inbox.is_shown) return;
		const wait = this.inbox.list.view === "queue" ? QUEUE_SOON : QUEUE_LATER;
		this.queue_timer = setTimeout(
			() => {
				this.queue_timer = null;
				if (this.inbox.is_shown && !document.hidden) this.inbox.list.refresh();
			},
			wait * (0.5 + Math.random()),
		);
	}

	told(told) {
		if (!told.ticket) return;
		const is_new = is_news(told);
		if (is_new) this.news.add(told.ticket);
		if (!this.inbox.is_shown && !is_new) return; // the whole list is read when the page is shown again
		this.told_of.add(told.ticket);
		this.changed(told.ticket);
	}

	changed(ticket) {
		this.names.add(ticket);
		if (this.timer || this.is_asking) return;
		const is_busy = ticket !== this.inbox.ticket && Date.now() - (this.asked_ms || 0) < 2 * GATHER_MORE;
		const wait = is_busy ? GATHER_MORE : GATHER;
		this.timer = setTimeout(() => this.ask(), wait);
	}

	// One question for all that changed; what comes meanwhile is the next one
	ask() {
		clearTimeout(this.timer);
		this.timer = null;
		const names = [...this.news, ...[...this.names].filter((name) => !this.news.has(name))].slice(
			0,
			MOST_NAMES,
		);
		const told_new = this.news;
		const is_flood = this.names.size > MOST_NAMES;
		const told = this.told_of;
		this.names = new Set();
		this.news = new Set();
		this.told_of = new Set();
		this.is_asking = true;
		this.asked_ms = Date.now();
		return this.inbox.list
			.ask(names)
			.then((answer) => this.heard(names, answer.rows, told_new, told))
			.then(() => is_flood && this.inbox.is_shown && this.inbox.list.refresh())
			.catch(() => {}) // no answer: the next look by the clock brings it
			.finally(() => {
				this.is_asking = false;
				const [next] = this.names;
				if (next) this.changed(next);
			});
	}

	heard(asked, rows, told_new, told) {
		this.notify(news(rows.filter((row) => told_new.has(row.ticket))));
		const open = this.inbox.ticket;
		if (!open || !asked.includes(open)) return null;
		if (!rows.some((row) => row.ticket === open)) return this.inbox.left(open);
		return told.has(open) && this.inbox.is_shown && this.inbox.thread.catch_up();
	}

	// Soon and without an event: after what one has done oneself
	now(ticket) {
		this.names.add(ticket);
		return this.is_asking ? Promise.resolve() : this.ask();
	}

	poll() {
		if (!this.inbox.is_shown || document.hidden) return;
		const every = this.hearing.is_up ? POLL_UP : POLL_DOWN;
		if (Date.now() - (this.polled || 0) < every - 1000) return;
		this.polled = Date.now();
		this.inbox.list.refresh();
		this.inbox.thread.catch_up();
	}

	// What lies open before one's eyes needs no sign; what is in the list beside it a sound
	notify(rows) {
		const is_seen = this.inbox.is_shown && !document.hidden;
		khalifa.desk.notifier.notify(
			rows.filter((row) => !is_seen || row.ticket !== this.inbox.ticket),
			is_seen,
		);
	}
}
