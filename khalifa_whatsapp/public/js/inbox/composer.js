// Where people write: text, quick replies, files, voice, emoji, notes, and templates when the window is closed.

import { Attachments } from "./attachments.js";
import { answers_to } from "./people.js";
import { act, attempt, el, icon, read, uuid } from "./util.js";

const SMILES = "😀 😊 🙂 😉 😍 🤝 🙏 👍 👌 👏 💪 ❤️ 💚 🌹 🎉 ✅ ❌ ⏳ 📦 🚚 💊 🩺 🏥 📍 📞 💵".split(" ");
const TYPING_MS = 4000;

export class Composer {
	constructor(inbox) {
		this.inbox = inbox;
		this.make();
	}

	make() {
		this.text = el("textarea", {
			class: "kin-input", rows: "1", dir: "auto", "aria-label": __("Write a message"), oninput: () => this.written(),
			onkeydown: (event) => this.pressed(event), onpaste: (event) => this.files.pasted(event),
		});
		this.above = el("div", { class: "kin-above" });
		this.popup = el("div", { class: "kin-popup", hidden: true, role: "listbox" });
		this.files = new Attachments(this);
		const button = (label, name, go) => el("button", { class: "btn btn-sm kin-tool", title: label, "aria-label": label, onclick: go }, typeof name === "string" && name.length < 3 ? name : icon(name));
		this.note_button = button(__("Note"), "edit", () => this.note_mode(!this.is_note));
		this.send_button = el("button", { class: "btn btn-primary kin-send", title: __("Send (Ctrl+Enter)"), onclick: () => this.send() }, __("Send"));
		this.bar = el("div", { class: "kin-bar" },
			button(__("Emoji"), "☺", () => this.smiles()), button(__("Attach a File"), "attachment", () => this.files.choose()),
			this.files.voice_button, this.note_button, this.text, this.send_button);
		this.closed = el("div", { class: "kin-closed", hidden: true });
		this.root = el("footer", { class: "kin-composer" }, this.popup, this.above, this.closed, this.bar);
		this.files.listen(this.inbox.thread.root);
		this.note_mode(false);
	}

	// What the conversation allows now
	fit(thread) {
		const { head, can, window } = thread;
		const is_window_closed = window && !window.is_open;
		const may_write = head.rights.reply && can.text && !is_window_closed && !head.cannot_answer;
		this.can = can;
		this.may_write = may_write;
		this.bar.hidden = !(may_write || head.rights.note);
		if (!may_write && !this.is_note) this.note_mode(true);
		else if (may_write && this.is_note && !this.is_note_wanted) this.note_mode(false);
		this.closed.hidden = may_write;
		if (!may_write) this.explain(head, is_window_closed);
		this.above_text(head);
	}

	explain(head, is_window_closed) {
		const parts = [];
		if (head.status === "Closed") parts.push(el("span", { text: __("The conversation is closed.") }), el("button", { class: "btn btn-sm btn-default", onclick: () => this.inbox.thread.do("conversation.reopen") }, __("Reopen")));
		else if (head.rights.assign && !head.rights.reply) parts.push(el("span", { text: __("Nobody answers this customer yet.") }), el("button", { class: "btn btn-sm btn-primary", onclick: () => this.inbox.dialogs.take() }, __("Take")));
		else if (!head.rights.reply) parts.push(el("span", { text: __("{0} answers this customer.", [head.agent_name || ""]) }));
		else if (head.cannot_answer) parts.push(el("span", { text: head.cannot_answer }));
		else if (is_window_closed) parts.push(answers_to(head), el("span", { text: __("More than 24 hours since the customer wrote: only a template may go.") }), el("button", { class: "btn btn-sm btn-primary", onclick: () => this.inbox.dialogs.template() }, __("Choose a Template")));
		else parts.push(el("span", { text: __("The number is switched off. A manager can switch it on again.") }));
		this.closed.replaceChildren(...parts);
	}

	above_text(head) {
		this.behalf = head.rights.on_behalf && !this.is_note ? __("You answer on behalf of {0}.", [head.agent_name]) : "";
		this.show_above();
	}

	show_above() {
		const parts = [];
		if (this.may_write && !this.is_note && this.inbox.thread.head) parts.push(answers_to(this.inbox.thread.head));
		if (this.behalf) parts.push(el("div", { class: "kin-behalf", text: this.behalf }));
		if (this.quoted) {
			parts.push(el("div", { class: "kin-quoting" }, el("bdi", { text: this.quoted.body || this.quoted.content_type }),
				el("button", { class: "btn btn-xs", "aria-label": __("Don't quote"), onclick: () => this.quote(null) }, "✕")));
		}
		if (this.problem) parts.push(el("div", { class: "kin-trouble bad", role: "alert" }, el("span", { text: this.problem.text }), this.problem.again || ""));
		this.above.replaceChildren(...parts);
	}

	open(ticket) {
		this.keep_draft();
		this.ticket = ticket;
		this.quoted = this.problem = null;
		this.is_note_wanted = false;
		this.key = uuid();
		this.text.value = ticket ? localStorage.getItem(this.place()) || "" : "";
		this.grow();
	}

	place() {
		return `khalifa_draft:${frappe.session.user}:${this.ticket}`;
	}

	keep_draft() {
		if (!this.ticket) return;
		if (this.text.value.trim()) localStorage.setItem(this.place(), this.text.value);
		else localStorage.removeItem(this.place());
	}

	written() {
		this.grow();
		this.keep_draft();
		this.offer();
		if (!this.is_note && this.text.value.trim() && Date.now() - (this.said_ms || 0) > TYPING_MS) {
			this.said_ms = Date.now();
			act("inbox.typing", { ticket: this.ticket });
		}
	}

	grow() {
		this.text.style.height = "auto";
		this.text.style.height = `${Math.min(this.text.scrollHeight + 2, 160)}px`;
	}

	pressed(event) {
		if (!this.popup.hidden && this.chosen(event)) return;
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
			event.preventDefault();
			this.send();
		}
		if (event.key === "Escape") {
			this.popup.hidden = true;
			this.quote(null);
			this.text.blur();
		}
	}

	note_mode(is_note) {
		this.is_note = is_note;
		this.is_note_wanted = is_note && this.may_write;
		this.root.classList.toggle("note", is_note);
		this.note_button.classList.toggle("active", is_note);
		this.text.placeholder = is_note ? __("A note for colleagues; the customer never sees it") : __("Write a message, or / for quick replies");
		this.send_button.textContent = is_note ? __("Save Note") : __("Send");
		if (this.inbox.thread.head) this.above_text(this.inbox.thread.head);
	}

	quote(item) {
		this.quoted = item;
		this.show_above();
		if (item) this.text.focus();
	}

	// Sending: the same key until it is done, so that a repeated click is one message; the text stays until the server has it

	send(more = {}) {
		const body = this.text.value;
		const ticket = this.ticket;
		if (!body.trim() || this.is_sending) return;
		this.is_sending = true;
		this.send_button.disabled = true;
		const seen_ms = this.last_seen();
		const done = this.is_note
			? attempt("conversation.note", { ticket, body })
			: attempt("conversation.reply", { ticket, body, client_key: this.key, reply_to: this.quoted?.message_key || null, seen_ms, ...more });
		done
			.then(() => this.sent(ticket))
			.catch((error) => this.refused(error))
			.finally(() => {
				this.is_sending = false;
				this.send_button.disabled = false;
			});
	}

	last_seen() {
		const shown = this.inbox.thread.items.filter((item) => item.kind === "message");
		return shown.length ? shown[shown.length - 1].sent_ms : null;
	}

	sent(ticket) {
		localStorage.removeItem(`khalifa_draft:${frappe.session.user}:${ticket}`);
		if (this.ticket !== ticket) return;
		this.key = uuid();
		this.text.value = "";
		this.quoted = this.problem = null;
		this.grow();
		this.show_above();
		this.inbox.thread.changed().then(() => this.inbox.thread.to_end());
		this.text.focus();
	}

	refused(error) {
		const is_answered = error.code === "answered_meanwhile";
		const again = is_answered ? el("button", { class: "btn btn-xs btn-default", onclick: () => this.send({ seen_ms: null }) }, __("Send Anyway")) : "";
		this.problem = { text: error.text, again };
		this.show_above();
		if (is_answered) this.inbox.thread.catch_up();
		if (error.code === "window_closed") this.inbox.thread.catch_up();
	}

	// Quick replies: / and a few letters

	offer() {
		const found = /^\/(\S*)$/.exec(this.text.value);
		if (!found || this.is_note) return (this.popup.hidden = true);
		const load = found[1] && this.replies ? Promise.resolve(this.replies) : read("inbox.quick_replies"); // each «/» asks anew
		return load.then((replies) => {
			this.replies = replies;
			const wanted = found[1].toLowerCase();
			const fitting = replies.filter((one) => `${one.shortcut} ${one.title}`.toLowerCase().includes(wanted)).slice(0, 8);
			this.popup.replaceChildren(...fitting.map((one, place) => el("button", { class: `kin-option${place ? "" : " active"}`, role: "option", onclick: () => this.use(one) },
				el("b", { text: `/${one.shortcut}` }), " ", el("bdi", { text: one.title }), el("div", { class: "kin-muted", dir: "auto", text: one.body.slice(0, 90) }))));
			if (!replies.length) this.popup.replaceChildren(el("div", { class: "kin-option kin-muted", text: __("There are no quick replies yet.") }));
			this.popup.hidden = Boolean(replies.length && !fitting.length);
		});
	}

	chosen(event) {
		const options = [...this.popup.children];
		const place = options.findIndex((option) => option.classList.contains("active"));
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			event.preventDefault();
			const next = (place + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length;
			options.forEach((option, number) => option.classList.toggle("active", number === next));
			return true;
		}
		if (event.key === "Enter" || event.key === "Tab") {
			event.preventDefault();
			options[place]?.click();
			return true;
		}
		return false;
	}

	use(reply) {
		const head = this.inbox.thread.head;
		const values = { customer: head.customer_name || "", agent: this.inbox.me.name || "", branch: head.branch || "", ticket: head.ticket };
		this.text.value = reply.body.replace(/\{(customer|agent|branch|ticket)\}/g, (_all, name) => values[name]);
		this.popup.hidden = true;
		this.grow();
		this.keep_draft();
		this.text.focus();
	}

	smiles() {
		if (!this.popup.hidden) return (this.popup.hidden = true);
		this.popup.replaceChildren(...SMILES.map((smile) => el("button", { class: "kin-smile", onclick: () => this.insert(smile) }, smile)));
		this.popup.hidden = false;
	}

	insert(text) {
		const place = this.text.selectionStart;
		this.text.setRangeText(text, place, this.text.selectionEnd, "end");
		this.popup.hidden = true;
		this.written();
		this.text.focus();
	}
}
