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
		this.root.hidden = presence === "Online" || !(reason || presence === "Offline");
		if (this.root.hidden) return;
		const text = reason || __("You are offline.");
		this.root.classList.toggle("by-others", Boolean(reason));
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

	come_back(button) {
		button.disabled = true;
		khalifa.desk.standing
			.set("Online")
			.then(() => this.inbox.list.refresh())
			.catch((error) => toast(error.text, "red"))
			.finally(() => (button.disabled = false));
	}
}
