// What agents and managers have on every page of Desk: the line to the server, how they stand, and
// notifications.

import { Connection } from "./connection.js";
import { Notifier } from "./notifier.js";
import { shift_news } from "./shift.js";
import { Standing } from "./standing.js";

const SHIFT_SAID = "khalifa_shift_said"; // what any tab of this browser has announced
const ROLES = ["WhatsApp Agent", "WhatsApp Manager"];

export class Desk {
	constructor() {
		this.listeners = new Set();
		this.notifier = new Notifier();
		this.standing = new Standing((before) => this.stands(before));
		this.connection = new Connection(
			() => this.publish("connection_changed"),
			(answer) => this.answered(answer),
		);
	}

	answered(answer) {
		this.shift = answer.shift || null;
		this.offset = answer.now_ms ? answer.now_ms - Date.now() : 0;
		this.standing.update(answer);
		this.announce();
	}

	// What is to be said of one's shift now; null: nothing
	shift_news() {
		return shift_news(this.shift, this.standing.now?.presence, Date.now() + (this.offset || 0));
	}

	// Said once in this browser; the inbox shows it as long as it is so
	announce() {
		const news = this.shift_news();
		if (!news || localStorage.getItem(SHIFT_SAID) === news.key) return;
		localStorage.setItem(SHIFT_SAID, news.key);
		if (this.is_inbox_shown()) return;
		if (news.kind === "ends") return this.say(__("Your shift ends soon."));
		this.say(__("Your shift has begun."), true);
	}

	is_inbox_shown() {
		return [...this.listeners].some((listener) => listener.is_shown());
	}

	// `may_come`: with one click one is online
	say(text, may_come = false) {
		const message = frappe.utils.escape_html(text);
		if (!may_come) return frappe.show_alert({ message, indicator: "orange" }, 15);
		const back = `<a href="#" data-action="online">${__("Go Online")}</a>`;
		const come = (event) => {
			event?.preventDefault?.();
			this.standing
				.set("Online")
				.catch((error) =>
					frappe.show_alert({ message: frappe.utils.escape_html(error.text), indicator: "red" }),
				);
			return false;
		};
		return frappe.show_alert({ message: `${message} ${back}`, indicator: "orange" }, 30, {
			online: come,
		});
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
		if (!reason || before?.presence !== "Online" || this.is_inbox_shown()) return;
		this.say(reason, true);
	}
}
