// How an agent stands: online, away or offline; and when somebody else or nobody changed it, why. The page
// only shows it.

import { attempt } from "./calls.js";

export class Standing {
	// `changed`: called with each new standing
	constructor(changed) {
		this.changed = changed;
		this.now = null;
	}

	// What the server says with each beat
	update({ standing }) {
		const before = this.now;
		this.now = standing;
		this.changed(before);
	}

	// An agent's own click
	set(presence) {
		return attempt("agents.set_presence", { presence }).then(() =>
			this.update({ standing: { presence, cause: "Agent" } }),
		);
	}

	// Why one is not online, when one did not do it oneself; else empty
	reason() {
		if (!this.now || this.now.presence === "Online") return "";
		// a name of either direction
		const who = [this.now.set_by ? `\u2068${this.now.set_by}\u2069` : __("A manager")];
		const reasons = {
			Manager:
				this.now.presence === "Away" ? __("{0} set you away.", who) : __("{0} set you offline.", who),
			Silent: __("You were set offline, because this page was not heard of for a while."),
			"Shift Over": __("You were set offline, because your shift is over."),
		};
		return reasons[this.now.cause] || "";
	}
}
