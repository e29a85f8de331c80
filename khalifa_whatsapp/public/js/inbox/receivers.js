// Who may be given a conversation: in the order in which one would ask them, and why somebody can't be. Nothing is
// drawn here, and nothing is decided: the server checks again.

import { folded } from "./folding.js";

const PRESENCES = ["Online", "Away", "Offline"];

// "" for whoever can be given one more: `offline`, or `full`, which stops everybody but managers
export function why_not(agent, is_manager) {
	if (agent.availability === "Offline") return "offline";
	return agent.load + 1 > agent.capacity && !is_manager ? "full" : "";
}

// Those who fit the search: who can take it before who can't, online before away, the least loaded first
export function receivers(agents, { text = "", holder = "", is_manager = false } = {}) {
	const terms = folded(text).split(" ").filter(Boolean);
	return agents
		.filter((one) => one.agent !== holder && fits(one, terms))
		.map((one) => ({ ...one, why_not: why_not(one, is_manager), share: share(one) }))
		.sort(
			(one, other) =>
				Boolean(one.why_not) - Boolean(other.why_not) ||
				PRESENCES.indexOf(one.availability) - PRESENCES.indexOf(other.availability) ||
				one.share - other.share ||
				one.name.localeCompare(other.name),
		);
}

export function branches(names, text = "") {
	const terms = folded(text).split(" ").filter(Boolean);
	return names.filter((name) => terms.every((term) => folded(name).includes(term)));
}

// How full somebody is, 0 to 1
export function share(agent) {
	return agent.capacity > 0 ? Math.min(agent.load / agent.capacity, 1) : 1;
}

function fits(agent, terms) {
	const found_in = folded(`${agent.name} ${agent.branch || ""}`);
	return terms.every((term) => found_in.includes(term));
}
