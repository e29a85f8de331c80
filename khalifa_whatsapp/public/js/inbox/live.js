// What the server publishes, gathered for a moment and asked for together; and asking by the clock when it can't
// tell.
//
// An event carries a name and no content, so whoever receives too much still reads only what the server shows.

import { is_news, news } from "../desk/notifier.js";

const GATHER = 300;
const GATHER_MORE = 1000; // while events keep coming
const MAX_NAMES = 50; // that the server takes at once
const POLL_UP = 60000;
const POLL_DOWN = 15000;
const QUEUE_SOON = 1000; // somebody looks at the queue
const QUEUE_LATER = 15000; // only its number is in sight

export class Live {
	constructor(inbox) {
		this.inbox = inbox;
		this.names = new Set();
		this.news = new Set();
		this.announced = new Set();
		this.connection = khalifa.desk.connection;
	}

	listen() {
		for (const kind of ["ticket", "status", "delay"])
			frappe.realtime.on(`khalifa_whatsapp:${kind}`, (event) => this.received(event));
		frappe.realtime.on(
			"khalifa_whatsapp:typing",
			(event) =>
				event.ticket === this.inbox.ticket && this.inbox.thread.typing.add(event.name, event.seconds),
		);
		frappe.realtime.on("khalifa_whatsapp:queue", () => this.queue_moved());
		this.connection.enter("Khalifa Ticket");
		khalifa.desk.notifier.is_inbox = true;
		setInterval(() => this.poll(), POLL_DOWN);
	}

	connection_changed() {
		const text = this.connection.is_up ? "" : __("No live connection: looking every 15 seconds");
		this.inbox.connection_notice?.text(text).attr("title", text);
		this.polled = 0; // what was published between the last look and now, nobody received
		this.poll();
	}

	// All pages are notified in the same moment: each asks at a moment of its own, once for all that came
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

	received(event) {
		if (!event.ticket) return;
		const is_new = is_news(event);
		if (is_new) this.news.add(event.ticket);
		if (!this.inbox.is_shown && !is_new) return; // the whole list is read when the page is shown again
		this.announced.add(event.ticket);
		this.changed(event.ticket);
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
			MAX_NAMES,
		);
		const announced_new = this.news;
		const is_flood = this.names.size > MAX_NAMES;
		const announced = this.announced;
		this.names = new Set();
		this.news = new Set();
		this.announced = new Set();
		this.is_asking = true;
		this.asked_ms = Date.now();
		return this.inbox.list
			.ask(names)
			.then((answer) => this.answered(names, answer.rows, announced_new, announced))
			.then(() => is_flood && this.inbox.is_shown && this.inbox.list.refresh())
			.catch(() => {}) // no answer: the next look by the clock brings it
			.finally(() => {
				this.is_asking = false;
				const [next] = this.names;
				if (next) this.changed(next);
			});
	}

	answered(asked, rows, announced_new, announced) {
		this.notify(news(rows.filter((row) => announced_new.has(row.ticket))));
		const open = this.inbox.ticket;
		if (!open || !asked.includes(open)) return null;
		if (!rows.some((row) => row.ticket === open)) return this.inbox.left(open);
		return announced.has(open) && this.inbox.is_shown && this.inbox.thread.catch_up();
	}

	// Soon and without an event: after what one has done oneself
	now(ticket) {
		this.names.add(ticket);
		return this.is_asking ? Promise.resolve() : this.ask();
	}

	poll() {
		if (!this.inbox.is_shown || document.hidden) return;
		const every = this.connection.is_up ? POLL_UP : POLL_DOWN;
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
