// What the list is asked for: the tab, words that are looked for, what it is narrowed to, its order.

export const FILTERS = ["branch", "device", "agent", "tag", "is_unread"];
// By which each tab is ordered unless something else is chosen
export const OWN_SORTS = {
	mine: "newest",
	snoozed: "newest",
	queue: "waiting",
	delayed: "due",
	all: "newest",
	closed: "newest",
};

export class Wanted {
	constructor(view) {
		Object.assign(this, { view, search: "", filters: {}, sort: "", kept: "" });
	}

	// Another tab: a list that was kept ends, and so does its order; what it is narrowed to stays
	choose(view) {
		const filters = this.kept ? {} : this.filters;
		Object.assign(this, { view, search: "", filters, sort: "", kept: "" });
	}

	// A list that was kept under a name
	open({ name, view, filters, sort }) {
		Object.assign(this, { view, filters: { ...filters }, sort, search: "", kept: name });
	}

	narrow(name, value) {
		const filters = { ...this.filters, [name]: value };
		if (!value) delete filters[name];
		Object.assign(this, { filters, kept: "" });
	}

	order(sort) {
		this.sort = sort === OWN_SORTS[this.view] ? "" : sort;
		this.kept = "";
	}

	get order_shown() {
		return this.sort || OWN_SORTS[this.view];
	}

	get is_search() {
		return Boolean(this.search.trim());
	}

	get is_narrowed() {
		return Object.keys(this.filters).length > 0;
	}

	// As it goes to the server; the same list gives the same values
	get asked() {
		const names = Object.keys(this.filters).sort();
		return {
			view: this.view,
			search: this.search.trim(),
			filters: names.length ? JSON.stringify(this.filters, names) : null,
			sort: this.sort || null,
		};
	}
}

export function is_same(one, other) {
	return ["view", "search", "filters", "sort"].every((name) => one[name] === other[name]);
}
