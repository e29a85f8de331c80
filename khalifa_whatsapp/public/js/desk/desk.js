// What agents and managers have on every page of Desk: the line to the server, how they stand, and
// notifications.

import { Connection } from "./connection.js";
import { Notifier } from "./notifier.js";
import { Standing } from "./standing.js";

const ROLES = ["WhatsApp Agent", "WhatsApp Manager"];

export class Desk {
	constructor() {
		this.listeners = new Set();
		this.notifier = new Notifier();
		this.standing = new Standing((before) => this.stands(before));
		this.connection = new Connection(
			() => this.publish("connection_changed"),
			(answer) => this.standing.update(answer),
		);
	}

	// For whoever has none of our roles nothing is asked and nothing is listened to
	static is_for(roles) {
		return ROLES.some((role) => roles.includes(role));
	}

	start() {
		if (this.is_started) return;
		this.is_started = true;
		this.connection.listen();
		this.notifier.listen();
		frappe.realtime.on("khalifa_whatsapp:presence", () => this.connection.beat());
		frappe.realtime.on("khalifa_whatsapp:rating", (rating) => this.rated(rating));
	}

	// `listener`: the inbox, while it is there, shows what is published here
	join(listener) {
		this.listeners.add(listener);
		this.start();
	}

	publish(what) {
		for (const listener of this.listeners) listener[what]();
	}

	// Managers, on every page: a customer is unhappy now, and may still be won back
	rated({ ticket, score }) {
		const address = `/app/khalifa-inbox/${encodeURIComponent(ticket)}`;
		const text = __("A customer rated the service {0} of 5.", [Number(score)]);
		frappe.show_alert({ message: `<a href="${address}">${text}</a>`, indicator: "red" }, 15);
	}

	// On other pages a word is enough; the inbox shows it as long as it is so
	stands(before) {
		this.publish("standing_changed");
		const reason = this.standing.reason();
		if (
			!reason ||
			before?.presence !== "Online" ||
			[...this.listeners].some((listener) => listener.is_shown())
		)
			return;
		frappe.show_alert({ message: frappe.utils.escape_html(reason), indicator: "orange" }, 15);
	}
}
