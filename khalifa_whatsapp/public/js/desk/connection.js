// Whether this page really receives events. A socket may say that it is connected and receive nothing: Frappe's socket
// server can put a lone page, opened in the moment in which another closes, where no event arrives (socket.io
// 4.7), its client gives up for good after three tries, and between it and us are Redis and a proxy. So each
// beat of ours is answered through the socket too, and a page that does not get the answer looks by the
// clock and connects anew.

import { attempt } from "./calls.js";

const BEAT = 60000;
const PATIENCE = 5000; // for an answer through the socket

export class Connection {
	// `changed`: called when the page begins or stops to receive; `answered`: with what the server answers to a
	// beat
	constructor(changed, answered) {
		Object.assign(this, { changed, answered });
		this.is_up = true; // until the first answer is missed
		this.rooms = new Set();
	}

	listen() {
		frappe.realtime.on("khalifa_whatsapp:here", () => this.received());
		frappe.realtime.on("connect", () => this.join()); // the socket server forgets who was in which room
		this.join();
		this.timer = setInterval(() => this.next(), BEAT);
	}

	// Whoever shows the queue is notified in the room of all
	enter(doctype) {
		this.rooms.add(doctype);
		this.join();
	}

	join() {
		if (frappe.realtime.socket?.connected)
			for (const doctype of this.rooms) frappe.realtime.doctype_subscribe(doctype);
		this.beat();
	}

	// Says that one is here, which keeps an agent present, and waits for the answer
	beat() {
		if (this.is_stopped) return;
		attempt("agents.heartbeat")
			.then((answer) => this.answered(answer))
			.catch((error) => this.failed(error));
		clearTimeout(this.waiting);
		this.waiting = setTimeout(() => this.set(false), PATIENCE);
	}

	// Not sent: neither will there be an answer. Who may not work here any more asks no longer
	failed(error) {
		if (error.code === "not_permitted") this.stop();
	}

	stop() {
		clearInterval(this.timer);
		clearTimeout(this.waiting);
		this.is_stopped = true;
		this.answered({ agent: null, standing: null });
	}

	// Who was let in (again) meanwhile
	resume() {
		if (!this.is_stopped) return;
		this.is_stopped = false;
		this.timer = setInterval(() => this.next(), BEAT);
		this.beat();
	}

	received() {
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
