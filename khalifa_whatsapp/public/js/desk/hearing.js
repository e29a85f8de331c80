// Whether this page really hears. A socket may say that it is connected and hear nothing: Frappe's socket server can
// put a lone page, opened in the moment in which another closes, where no event arrives (socket.io 4.7), its client
// gives up for good after three tries, and between it and us are Redis and a proxy. So each beat of ours is answered
// through the socket too, and a page that does not hear the answer looks by the clock and connects anew.

import { attempt } from "./util.js";

const BEAT = 60000;
const PATIENCE = 5000; // for an answer through the socket

export class Hearing {
	// `changed`: called when the page begins or ends to hear
	constructor(changed) {
		this.changed = changed;
		this.is_up = true; // until the first answer is missed
	}

	listen() {
		frappe.realtime.on("khalifa_whatsapp:here", () => this.heard());
		frappe.realtime.on("connect", () => this.join()); // the socket server forgets who was in which room
		this.join();
		setInterval(() => this.next(), BEAT);
	}

	join() {
		if (frappe.realtime.socket?.connected) frappe.realtime.doctype_subscribe("Khalifa Ticket");
		this.beat();
	}

	// Says that one is here, which keeps an agent present, and waits for the answer
	beat() {
		attempt("agents.heartbeat").catch(() => {}); // not sent: neither will there be an answer
		clearTimeout(this.waiting);
		this.waiting = setTimeout(() => this.set(false), PATIENCE);
	}

	heard() {
		clearTimeout(this.waiting);
		this.set(true);
	}

	next() {
		if (!this.is_up) frappe.realtime.socket?.disconnect().connect(); // which joins again, once it is done
		this.beat();
	}

	set(is_up) {
		if (this.is_up === is_up) return;
		this.is_up = is_up;
		this.changed();
	}
}
