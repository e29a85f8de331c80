// Above the page: that one is not online, and why, as long as it is so; a click brings one back.

import { clock, el, toast } from "./util.js";

export class Banner {
	constructor(inbox) {
		this.inbox = inbox;
		this.root = el("div", { class: "kin-banner", role: "status", hidden: true });
	}

	show() {
		const { standing } = khalifa.desk;
		const { presence, since_ms } = standing.now || {};
		const reason = standing.reason();
		const shift = khalifa.desk.shift_news();
		const is_gone = presence !== "Online" && Boolean(reason || presence === "Offline");
		this.root.hidden = !is_gone && shift?.kind !== "ends";
		if (this.root.hidden) return;
		this.root.classList.toggle("by-others", Boolean(reason) && is_gone);
		if (!is_gone) {
			const text = __(
				"Your shift ends at {0}. What you have not answered by then goes back to the queue.",
				[clock(shift.at_ms)],
			);
			this.root.replaceChildren(el("span", { text }));
			return;
		}
		const text = this.asks(reason, shift);
		this.root.replaceChildren(
			el("span", {
				text: `${text}${reason && since_ms ? ` (${clock(since_ms)})` : ""} ${__("No new conversations come to you.")}`,
			}),
			el(
				"button",
				{ class: "btn btn-xs btn-primary", onclick: (event) => this.come_back(event.target) },
				__("Go Online"),
			),
		);
	}

	asks(reason, shift) {
		if (shift?.kind === "begins") return __("Your shift began at {0}. Go online?", [clock(shift.at_ms)]);
		return reason || __("You are offline. Go online?");
	}

	come_back(button) {
		button.disabled = true;
		khalifa.desk.standing
			.set("Online")
			.then(() => this.inbox.list.refresh())
			.catch((error) => toast(error.text, "red"))
			.finally(() => (button.disabled = false));
	}
}
