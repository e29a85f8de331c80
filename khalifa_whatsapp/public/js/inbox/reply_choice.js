// Which quick replies fit what somebody looks for. Nothing is drawn here.

import { folded } from "./folding.js";

// `wish`: search (any words of shortcut, title, category or text), language and category, each empty for all
export function choose(replies, { search, language, category }) {
	const terms = folded(search || "")
		.split(" ")
		.filter(Boolean);
	const fitting = replies.filter(
		(one) =>
			(!language || !one.language || one.language === language) &&
			(!category || one.category === category) &&
			terms.every((term) => one.search.includes(term)),
	);
	return terms.length ? nearest(fitting, terms.join(" ")) : fitting;
}

// A shortcut that begins as it was typed comes first, whatever else has the letters
function nearest(replies, typed) {
	const is_near = (one) => folded(one.shortcut).startsWith(typed);
	return [...replies.filter(is_near), ...replies.filter((one) => !is_near(one))];
}

export function languages_of(replies) {
	return [...new Set(replies.map((one) => one.language).filter(Boolean))].sort();
}
