// Quick replies: «/» and a few letters, or a key, which opens a list with a search. What the inbox can't fill in is
// asked for and never sent as it stands. One with a file goes with its text as the caption.

import { choose, languages_of } from "./reply_choice.js";
import { el, icon, read } from "./util.js";

const MAX = 40;
const PICTURE = /\.(png|jpe?g)$/i;

export class QuickReplies {
	constructor(composer) {
		this.composer = composer;
		this.popup = composer.popup;
		this.wish = { search: "", language: "", category: "" };
	}

	// While somebody types
	offer() {
		const match = /^\/(\S*)$/.exec(this.composer.text.value);
		if (!match || this.composer.is_note) return (this.popup.hidden = true);
		this.is_inserted = false;
		this.wish.search = match[1];
		return this.load(!match[1]).then(() => this.show(false));
	}

	// At once; into a text that is begun already the reply is put where one writes
	pick() {
		this.is_inserted = Boolean(this.composer.text.value.trim());
		this.wish = { search: "", language: "", category: "" };
		return this.load(true).then(() => this.show(true));
	}

	// Each «/» asks anew
	load(is_new) {
		const { ticket } = this.composer;
		if (this.replies && this.ticket === ticket && !is_new) return Promise.resolve();
		return Promise.all([
			read("inbox.quick_replies", { ticket }),
			read("inbox.quick_reply_values", { ticket }),
		])
			.then(([replies, values]) => Object.assign(this, { replies, values, ticket }))
			.catch((error) => {
				this.replies = null;
				this.say(error.text);
			});
	}

	show(has_search) {
		if (!this.replies || this.ticket !== this.composer.ticket) return;
		if (!this.replies.length) return this.say(__("There are no quick replies yet."), this.links());
		this.list = el("div", { role: "listbox", "aria-label": __("Quick replies") });
		this.popup.replaceChildren(this.filters(has_search), this.list, this.links());
		this.popup.hidden = false;
		this.fill();
		if (has_search) this.popup.querySelector("input")?.focus();
	}

	fill() {
		const fitting = choose(this.replies, this.wish).slice(0, MAX);
		this.list.replaceChildren(...fitting.map((one, place) => this.option(one, place)));
		if (!fitting.length)
			this.list.append(el("div", { class: "kin-option kin-muted", text: __("No quick reply fits.") }));
	}

	// What narrows the list: a search where nobody types in the text, the language, the category
	filters(has_search) {
		const bar = el("div", { class: "kin-reply-filters" });
		if (has_search)
			bar.append(
				el("input", {
					class: "form-control input-xs",
					type: "search",
					dir: "auto",
					placeholder: __("Search"),
					"aria-label": __("Search"),
					oninput: (event) => this.narrow({ search: event.target.value }),
					onkeydown: (event) => this.in_search(event),
				}),
			);
		const languages = languages_of(this.replies);
		if (languages.length > 1)
			bar.append(this.select("language", __("All languages"), languages, (value) => __(value)));
		const categories = [...new Set(this.replies.map((one) => one.category).filter(Boolean))].sort();
		if (categories.length)
			bar.append(this.select("category", __("All categories"), categories, (value) => value));
		return bar;
	}

	select(name, all, values, label) {
		const options = values.map((value) => el("option", { value, text: label(value) }));
		const box = el(
			"select",
			{
				class: "form-control input-xs",
				"aria-label": all,
				onchange: () => this.narrow({ [name]: box.value }),
			},
			el("option", { value: "", text: all }),
			...options,
		);
		box.value = values.includes(this.wish[name]) ? this.wish[name] : "";
		return box;
	}

	narrow(wish) {
		Object.assign(this.wish, wish);
		this.fill();
	}

	in_search(event) {
		if (event.key === "Escape") {
			this.popup.hidden = true;
			this.composer.text.focus();
		} else this.chosen(event);
	}

	option(one, place) {
		const marks = [one.category, one.is_own ? __("Personal") : ""].filter(Boolean);
		return el(
			"button",
			{ class: `kin-option${place ? "" : " active"}`, role: "option", onclick: () => this.use(one) },
			one.attachment ? thumbnail(one.attachment) : "",
			el("b", { text: `/${one.shortcut}` }),
			" ",
			el("bdi", { text: one.title }),
			...marks.map((text) => el("span", { class: "kin-tag", text })),
			el("div", { class: "kin-muted", dir: "auto", text: one.body.slice(0, 90) }),
		);
	}

	// One's own are written and changed in their list
	links() {
		const link = (text, href) => el("a", { href, target: "_blank", rel: "noopener", text });
		return el(
			"div",
			{ class: "kin-reply-links" },
			link(__("New quick reply"), "/app/khalifa-reply-template/new"),
			link(__("Manage"), "/app/khalifa-reply-template"),
		);
	}

	say(text, more = "") {
		this.popup.replaceChildren(el("div", { class: "kin-option kin-muted", text }), more);
		this.popup.hidden = false;
	}

	// Whether the key meant the list
	chosen(event) {
		const options = [...this.popup.querySelectorAll("button.kin-option")];
		if (!options.length) return false;
		const place = options.findIndex((option) => option.classList.contains("active"));
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			event.preventDefault();
			const next = (place + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length;
			options.forEach((option, number) => option.classList.toggle("active", number === next));
			options[next].scrollIntoView({ block: "nearest" });
			return true;
		}
		if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") {
			event.preventDefault();
			options[place]?.click();
			return true;
		}
		return false;
	}

	use(reply) {
		const values = new Map(Object.entries(this.values));
		const empty = new Set(
			reply.parts.map((part) => part.blank).filter((name) => name && !values.get(name)),
		);
		this.popup.hidden = true;
		if (!empty.size) return this.write(reply, values);
		this.composer.inbox.dialogs.ask_blanks([...empty], (answers) =>
			this.write(reply, new Map([...values, ...answers])),
		);
	}

	write(reply, values) {
		const { text } = this.composer;
		const written = reply.parts.map((part) => part.text || values.get(part.blank)).join("");
		if (this.is_inserted) text.setRangeText(written, text.selectionStart, text.selectionEnd, "end");
		else text.value = written;
		const { name, shortcut, attachment } = reply;
		this.composer.use_reply({ name, shortcut, attachment });
		text.focus();
	}
}

// What stands above the text while a quick reply is in it
export function used_reply({ shortcut, attachment }, drop) {
	const what = attachment ? __("The file of /{0} goes with your text.", [shortcut]) : `/${shortcut}`;
	return el(
		"div",
		{ class: "kin-quoting" },
		attachment ? thumbnail(attachment) : "",
		el("bdi", { text: what }),
		el("button", { class: "btn btn-xs", "aria-label": __("Remove"), onclick: drop }, "✕"),
	);
}

function thumbnail(url) {
	if (PICTURE.test(url))
		return el("img", { class: "kin-reply-file", src: url, alt: __("Picture"), loading: "lazy" });
	return icon("file");
}
