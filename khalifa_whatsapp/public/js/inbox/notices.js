// What stands where the page, the list or a thread should be, when it can't be shown: why, and the way on.

import { el, icon } from "./util.js";

export function failure(error, again) {
	return notice("alert", error.text, [], again);
}

// A person with our role who can't work yet: what is missing, who can mend it
export function missing({ what, managers }, again) {
	const text =
		what === "switched_off"
			? __("Your agent record is switched off, so no customer can come to you.")
			: __(
					"You have the role of a WhatsApp agent, but there is no agent record with your name yet, so no customer can come to you.",
				);
	const who = managers.length
		? __("A WhatsApp manager can mend that under WhatsApp › Agents: {0}.", [
				managers.map((name) => `\u2068${name}\u2069`).join("، "),
			])
		: __(
				"Nobody is a WhatsApp manager yet. The site's administrator can mend that: the role WhatsApp Manager, then WhatsApp › Agents.",
			);
	return notice("users", text, [who], again);
}

function notice(drawing, text, more, again) {
	return el(
		"div",
		{ class: "kin-empty kin-notice", role: "alert" },
		icon(drawing, "lg"),
		el("p", { text }),
		...more.map((line) => el("p", { text: line })),
		el("button", { class: "btn btn-sm btn-default", onclick: again }, __("Try Again")),
	);
}
