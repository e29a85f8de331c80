// What agents and managers have on every page of Desk: the line to the server, how they stand, and
// notifications.

import { Hearing } from "./hearing.js";
import { Notifier } from "./notifier.js";
import { Standing } from "./standing.js";

const ROLES = ["WhatsApp Agent", "WhatsApp Manager"];

export class Desk {
	constructor() {
		this.listeners = new Set();
		this.notifier = new Notifier();
		this.standing = new Standing((before) => this.stands(before));
		this.hearing = new Hearing(
			() => this.tell("hearing_changed"),
			(told) => this.standing.told(told),
		);
	}

	// For whoever has none of our roles nothing is asked and nothing is listened to
	static is_for(roles) {
		return ROLES.some((role) => roles.includes(role));
	}

	start() {
		if (this.is_started) return;
		this.is_started = true;
		this.hearing.listen();
		this.notifier.listen();
		frappe.realtime.on("khalifa_whatsapp:presence", () => this.hearing.beat());
	}

	// `listener`: the inbox, while it is there, shows what is told here
	join(listener) {
		this.listeners.add(listener);
		this.start();
	}

	tell(what) {
		for (const listener of this.listeners) listener[what]();
	}

	// On other pages a word is enough; the inbox shows it as long as it is so
	stands(before) {
		this.tell("standing_changed");
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
