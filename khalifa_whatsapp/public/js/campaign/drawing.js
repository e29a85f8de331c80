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

// Ask the server for something; Desk shows a refusal by itself, and nothing more happens then
export function ask(method, args, type = "POST") {
	return new Promise((resolve) => {
		frappe.xcall(method, args, type).then(resolve, () => {});
	});
}
