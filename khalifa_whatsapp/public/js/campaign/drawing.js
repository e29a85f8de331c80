// What both parts of the form draw with.

import { el } from "../inbox/util.js";

export function line(text, colour) {
	return el(
		"div",
		{ class: "khalifa-line" },
		el("span", { class: `indicator ${colour}` }),
		el("span", { text }),
	);
}

export function number(value) {
	return format_number(value, null, 0);
}

export function recipients_of(campaign, status) {
	return `/app/khalifa-campaign-recipient?${new URLSearchParams({ campaign, status })}`;
}
