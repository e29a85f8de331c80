// Quick replies: «/» and a few letters, or a key. What the inbox can't fill in is asked for and never sent as
// it stands.

import { el, read } from "./util.js";

const MAX = 8;

export class QuickReplies {
	constructor(composer) {
		this.composer = composer;
		this.popup = composer.popup;
	}

	// While somebody types
	offer() {
		const match = /^\/(\S*)$/.exec(this.composer.text.value);
		if (!match || this.composer.is_note) return (this.popup.hidden = true);
		this.is_inserted = false;
		return this.load(!match[1]).then((replies) => this.show(replies, match[1]));
	}

	// At once; into a text that is begun already the reply is put where one writes
	pick() {
		this.is_inserted = Boolean(this.composer.text.value.trim());
		return this.load(true).then((replies) => this.show(replies, ""));
	}

	// Each «/» asks anew
	load(is_new) {
		if (this.replies && !is_new) return Promise.resolve(this.replies);
		return read("inbox.quick_replies")
			.then((replies) => (this.replies = replies))
			.catch((error) => {
				this.say(error.text);
				return null;
			});
	}

	show(replies, typed) {
		if (!replies) return;
		if (!replies.length) return this.say(__("There are no quick replies yet."));
		const wanted = typed.toLowerCase();
		const fitting = replies
			.filter((one) => `${one.shortcut} ${one.title}`.toLowerCase().includes(wanted))
			.slice(0, MAX);
		this.popup.replaceChildren(...fitting.map((one, place) => this.option(one, place)));
		this.popup.hidden = !fitting.length;
	}

	option(one, place) {
		return el(
			"button",
			{ class: `kin-option${place ? "" : " active"}`, role: "option", onclick: () => this.use(one) },
			el("b", { text: `/${one.shortcut}` }),
			" ",
			el("bdi", { text: one.title }),
			el("div", { class: "kin-muted", dir: "auto", text: one.body.slice(0, 90) }),
		);
	}

	say(text) {
		this.popup.replaceChildren(el("div", { class: "kin-option kin-muted", text }));
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
		const { thread, me, dialogs } = this.composer.inbox;
		const { customer_name, branch, ticket } = thread.head;
		const values = new Map(Object.entries({ customer: customer_name, agent: me.name, branch, ticket }));
		const empty = new Set(
			reply.parts.map((part) => part.blank).filter((name) => name && !values.get(name)),
		);
		this.popup.hidden = true;
		if (!empty.size) return this.write(reply, values);
		dialogs.ask_blanks([...empty], (answers) => this.write(reply, new Map([...values, ...answers])));
	}

	write(reply, values) {
		const { text } = this.composer;
		const written = reply.parts.map((part) => part.text || values.get(part.blank)).join("");
		if (this.is_inserted) text.setRangeText(written, text.selectionStart, text.selectionEnd, "end");
		else text.value = written;
		this.composer.grow();
		this.composer.keep_draft();
		text.focus();
	}
}
