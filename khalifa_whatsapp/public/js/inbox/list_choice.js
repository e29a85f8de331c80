// What is chosen in the head of the list: filters, an order, words that are looked for, lists under a name.

import { attempt, read, toast } from "./util.js";

const TYPING = 350; // milliseconds until what is typed is looked for

export class ListChoice {
	constructor(list) {
		this.list = list;
	}

	// What components ask for
	does() {
		const { wants } = this.list;
		return {
			open_list: (one) => this.change(() => wants.open(one)),
			search: (text) => this.typed(text),
			narrow: (name, value) => this.change(() => wants.narrow(name, value)),
			order: (sort) => this.change(() => wants.order(sort)),
			widen: () => this.change(() => Object.assign(wants, { filters: {}, kept: "" })),
			narrowing: (is_open) => this.narrowing(is_open),
			choices: () => this.choices(),
			keep: (name) => this.keep(name),
			forget: (name) => this.forget(name),
			open_next: (is_wanted) => this.open_next(is_wanted),
		};
	}

	change(go) {
		clearTimeout(this.typing);
		go();
		this.list.acts.untick();
		this.list.show_tabs();
		if (!this.list.inbox.ticket) this.list.show_address();
		return this.list.begin();
	}

	typed(text) {
		this.list.wants.search = this.list.shown.search = text;
		clearTimeout(this.typing);
		this.typing = setTimeout(() => {
			this.list.acts.untick();
			this.list.show_tabs();
			this.list.begin();
		}, TYPING);
	}

	narrowing(is_open) {
		this.list.shown.is_narrowing = is_open;
		if (is_open) this.choices().catch((error) => toast(error.text, "red"));
	}

	choices() {
		return read("inbox_choices.filters").then((choices) => (this.list.shown.choices = choices));
	}

	keep(name) {
		const { view, filters, sort } = this.list.wants.asked;
		return attempt("inbox_settings.save_view", { name, view, filters, sort }).then(({ views }) => {
			this.list.shown.lists = views;
			this.list.wants.kept = (views.find((one) => one.name === name) || views[views.length - 1]).name;
			this.list.show_wanted();
		});
	}

	forget(name) {
		return attempt("inbox_settings.drop_view", { name }).then(({ views }) => {
			this.list.shown.lists = views;
			this.list.wants.kept = "";
			this.list.show_wanted();
		});
	}

	open_next(is_wanted) {
		return attempt("inbox_settings.open_next", { is_wanted: is_wanted ? 1 : 0 }).then(
			({ opens_next }) => (this.list.shown.opens_next = opens_next),
		);
	}
}
