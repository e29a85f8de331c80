// A template's texts with the values that somebody is writing, and which templates fit a search. Nothing is drawn
// here, and nothing is decided: the server fills in what is sent.

import { folded } from "./folding.js";

const VARIABLE = /\{\{\s*([a-z0-9_]+)\s*\}\}/g;

// { header, body }: what is not filled in yet stays as it is written
export function filled(one, values) {
	const by_place = {};
	one.variables.forEach(({ place, name }, number) => {
		(by_place[place] ||= {})[name] = values[number];
	});
	const fill = (text, place) =>
		(text || "").replace(VARIABLE, (all, name) => by_place[place]?.[name] || all);
	return { header: fill(one.header, "header"), body: fill(one.body, "body") };
}

export function fitting(templates, search) {
	const terms = folded(search || "")
		.split(" ")
		.filter(Boolean);
	return templates.filter((one) => {
		const text = folded(`${one.template_name} ${one.language} ${one.header} ${one.body}`);
		return terms.every((term) => text.includes(term));
	});
}
