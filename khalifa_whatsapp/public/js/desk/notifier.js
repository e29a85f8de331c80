// Tells an agent of a customer's words that are not before his or her eyes: a sound, and the browser's
// notification. On every page of Desk, for whoever has asked for it in this browser; where the inbox is open,
// the inbox says what is new.

import { look } from "./calls.js";

const SETTING = "khalifa_notify";
const SOUNDED = "khalifa_sounded"; // when any tab of this browser did
const SOUND_REST = 2000;
const GATHER = 1000;
const MAX_NAMES = 50; // that the server takes at once
const MAX_SHOWN = 3;
// a customer wrote; what was typed on our own phone is «phone», our answers are «answered»
const INCOMING = "message";
const HANDED = ["assigned", "transferred"]; // what a customer wrote before may be new to whoever gets it

export function is_news(event) {
	return event.event === INCOMING || HANDED.includes(event.event);
}

export class Notifier {
	constructor() {
		this.names = new Set();
	}

	// Of the tabs of a browser one asks; a browser that has no locks asks in each, and shows each message
	// once all the same
	listen() {
		this.is_chosen = !navigator.locks;
		navigator.locks?.request("khalifa_notifier", () => {
			this.is_chosen = true;
			return new Promise(() => {}); // until this page goes
		});
		frappe.realtime.on("khalifa_whatsapp:ticket", (event) => this.received(event));
	}

	received(event) {
		if (
			this.is_inbox ||
			!this.is_chosen ||
			!event.ticket ||
			!is_news(event) ||
			!localStorage.getItem(SETTING)
		)
			return;
		this.names.add(event.ticket);
		this.timer ||= setTimeout(() => this.ask(), GATHER * (0.5 + Math.random()));
	}

	ask() {
		const tickets = [...this.names].slice(0, MAX_NAMES);
		this.names.clear();
		this.timer = null;
		return look("inbox.rows", { tickets: JSON.stringify(tickets) })
			.then((answer) => this.notify(news(answer.rows)))
			.catch(() => {});
	}

	// `is_seen`: these lie before one's eyes
	notify(rows, is_seen = false) {
		if (!rows.length || !localStorage.getItem(SETTING)) return;
		setTimeout(() => this.sound(), Math.random() * 200); // not in the same moment as another tab
		if (is_seen || !window.Notification || Notification.permission !== "granted") return;
		for (const { ticket } of rows.slice(0, MAX_SHOWN)) this.show(ticket);
	}

	wish() {
		if (!window.Notification) return frappe.show_alert(__("This browser has no notifications."));
		return Notification.requestPermission().then((answer) => {
			localStorage.setItem(SETTING, answer === "granted" ? "1" : "");
			frappe.show_alert(
				answer === "granted" ? __("You will be notified.") : __("The browser does not allow it."),
			);
		});
	}

	sound() {
		if (Date.now() - Number(localStorage.getItem(SOUNDED)) < SOUND_REST) return;
		localStorage.setItem(SOUNDED, Date.now());
		frappe.utils.play_sound("alert");
	}

	show(ticket) {
		const shown = new Notification(__("A customer wrote"), { tag: ticket, body: ticket });
		shown.onclick = () => {
			window.focus();
			frappe.set_route("khalifa-inbox", ticket);
		};
	}
}

export function news(rows) {
	return rows.filter((row) => row.unread_count && (row.is_mine || row.status === "Queued"));
}
