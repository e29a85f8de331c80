// Macros as people read them, and which fit a search. `t` translates.

import { folded } from "./folding.js";

export const ACTIONS = ["Reply", "Note", "Tag", "Transfer", "Snooze", "Close"];

export function fitting(macros, text) {
	const terms = folded(text || "")
		.split(" ")
		.filter(Boolean);
	return macros.filter((one) => {
		const found_in = folded(
			`${one.title} ${one.steps.map((step) => `${step.text || ""} ${step.tag || ""}`).join(" ")}`,
		);
		return terms.every((term) => found_in.includes(term));
	});
}

// The steps that keep what `action` needs, and nothing of the others
export function kept(step) {
	const fields = {
		Reply: ["text", "quick_reply"],
		Note: ["text"],
		Tag: ["tag"],
		Transfer: ["to_agent", "to_branch", "text"],
		Snooze: ["snooze_minutes", "text"],
		Close: ["close_reason"],
	}[step.action];
	return Object.fromEntries(["action", ...fields].map((name) => [name, step[name] ?? ""]));
}
