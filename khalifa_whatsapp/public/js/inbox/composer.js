// Where people write: text, quick replies, files, voice, emoji, notes, and templates when the window is
// closed.
//
// What is written to the customer and what to colleagues are two texts (`drafts.js`): the switch between them
// shows the other one, and never makes one of the other.

import { Attachments } from "./attachments.js";
import { Drafts, NOTE, REPLY } from "./drafts.js";
import { may_be_joined } from "./join_hint.js";
import { answers_to } from "./people.js";
import { QuickReplies, used_reply } from "./quick_replies.js";
import { attempt, el, icon, toast, uuid } from "./util.js";
import { may_write, obstacle } from "./writing.js";

const SMILES = "😀 😊 🙂 😉 😍 🤝 🙏 👍 👌 👏 💪 ❤️ 💚 🌹 🎉 ✅ ❌ ⏳ 📦 🚚 💊 🩺 🏥 📍 📞 💵".split(" ");
const TYPING_MS = 4000;

export class Composer {
	constructor(inbox) {
		this.inbox = inbox;
		this.drafts = new Drafts(window.localStorage, frappe.session.user, uuid);
		this.sending = new Set(); // conversation and mode
		this.make();
	}

	get is_note() {
		return this.mode === NOTE;
	}

	make() {
		this.text = el("textarea", {
			class: "kin-input",
			rows: "1",
			dir: "auto",
			"aria-label": __("Write a message"),
			oninput: () => this.written(),
			onkeydown: (event) => this.pressed(event),
			onpaste: (event) => this.files.pasted(event),
		});
		this.above = el("div", { class: "kin-above" });
		this.popup = el("div", { class: "kin-popup", hidden: true, role: "listbox" });
		this.quick = new QuickReplies(this);
		this.files = new Attachments(this);
		const button = (label, name, go) =>
			el(
				"button",
				{ class: "btn btn-sm kin-tool", title: label, "aria-label": label, onclick: go },
				typeof name === "string" && name.length < 3 ? name : icon(name),
			);
		this.note_button = button(__("Note"), "edit", () => this.write(this.is_note ? REPLY : NOTE));
		this.send_button = el(
			"button",
			{ class: "btn btn-primary kin-send", title: __("Send (Ctrl+Enter)"), onclick: () => this.send() },
			__("Send"),
		);
		this.bar = el(
			"div",
			{ class: "kin-bar" },
			button(__("Emoji"), "☺", () => this.smiles()),
			button(__("Attach a File"), "attachment", () => this.files.choose()),
			this.files.voice_button,
			this.note_button,
			this.text,
			this.send_button,
		);
		this.closed = el("div", { class: "kin-closed", hidden: true });
		this.root = el("footer", { class: "kin-composer" }, this.popup, this.above, this.closed, this.bar);
		this.files.listen(this.inbox.thread.root);
		this.show_mode(REPLY);
	}

	// What the conversation allows now
	fit(thread) {
		const { head, can } = thread;
		this.can = can;
		this.held = head.rights.reply ? can.held : "";
		this.may_write = may_write(thread);
		this.bar.hidden = !(this.may_write || head.rights.note);
		this.fit_mode();
		this.closed.hidden = this.may_write;
		if (!this.may_write) this.explain(head, obstacle(thread));
		this.above_text();
		this.show_send();
	}

	// A mode that nobody chose follows what the conversation allows, but never under somebody's hands
	fit_mode() {
		const is_busy = this.text.value.trim() || document.activeElement === this.text;
		if (!this.may_write && !this.is_note && !this.text.value.trim()) {
			this.show_mode(NOTE);
			this.is_forced = true;
		} else if (this.may_write && this.is_note && this.is_forced && !is_busy) this.show_mode(REPLY);
	}

	explain(head, what) {
		const parts = [];
		if (what === "closed")
			parts.push(
				el("span", { text: __("The conversation is closed.") }),
				head.rights.reopen
					? el(
							"button",
							{
								class: "btn btn-sm btn-default",
								onclick: () => this.inbox.thread.do("conversation.reopen"),
							},
							__("Reopen"),
						)
					: "",
			);
		else if (what === "nobody")
			parts.push(
				el("span", { text: __("Nobody answers this customer yet.") }),
				el(
					"button",
					{ class: "btn btn-sm btn-primary", onclick: () => this.inbox.dialogs.take() },
					__("Take"),
				),
			);
		else if (what === "somebody")
			parts.push(el("span", { text: __("{0} answers this customer.", [head.agent_name || ""]) }));
		else if (what === "cannot_answer") parts.push(el("span", { text: head.cannot_answer }));
		else if (what === "window")
			parts.push(
				answers_to(head),
				el("span", {
					text: __("More than 24 hours since the customer wrote: only a template may go."),
				}),
				el(
					"button",
					{ class: "btn btn-sm btn-primary", onclick: () => this.inbox.dialogs.template() },
					__("Choose a Template"),
				),
			);
		else if (what === "held") parts.push(el("span", { text: this.can.held }));
		else
			parts.push(
				el("span", { text: __("The number is switched off. A manager can switch it on again.") }),
			);
		this.closed.replaceChildren(...parts);
	}

	above_text() {
		const { head } = this.inbox.thread;
		this.behalf =
			head?.rights.on_behalf && !this.is_note
				? __("You answer on behalf of {0}.", [head.agent_name])
				: "";
		this.show_above();
	}

	show_above() {
		const parts = [];
		if (this.may_write && !this.is_note && this.inbox.thread.head)
			parts.push(answers_to(this.inbox.thread.head));
		if (this.held && this.may_write)
			parts.push(
				el("div", { class: "kin-trouble bad", role: "alert" }, el("span", { text: this.held })),
			);
		if (this.behalf) parts.push(el("div", { class: "kin-behalf", text: this.behalf }));
		const { quoted, quick_reply } = this.draft;
		if (quick_reply && !this.is_note) parts.push(used_reply(quick_reply, () => this.use_reply(null)));
		if (quoted) {
			parts.push(
				el(
					"div",
					{ class: "kin-quoting" },
					el("bdi", { text: quoted.line }),
					el(
						"button",
						{
							class: "btn btn-xs",
							"aria-label": __("Don't quote"),
							onclick: () => this.quote(null),
						},
						"✕",
					),
				),
			);
		}
		if (this.is_hinting)
			parts.push(
				el("div", {
					class: "kin-hint",
					role: "status",
					text: __("Each message is charged by itself: the rest fits into one."),
				}),
			);
		if (this.problem)
			parts.push(
				el(
					"div",
					{ class: "kin-trouble bad", role: "alert" },
					el("span", { text: this.problem.text }),
					this.problem.again || "",
				),
			);
		this.above.replaceChildren(...parts);
	}

	open(ticket) {
		this.keep_draft();
		this.ticket = ticket;
		this.may_write = false; // until the conversation is there
		this.show_mode(ticket ? this.drafts.mode(ticket) : REPLY);
	}

	// The text of this mode, and what shows which one it is
	show_mode(mode) {
		Object.assign(this, { mode, problem: null, is_forced: false, is_hinting: false });
		this.draft = this.drafts.get(this.ticket, mode);
		this.text.value = this.ticket ? this.draft.text : "";
		this.popup.hidden = true;
		this.root.classList.toggle("note", this.is_note);
		this.note_button.classList.toggle("active", this.is_note);
		this.note_button.setAttribute("aria-pressed", String(this.is_note));
		this.text.placeholder = this.is_note
			? __("A note for colleagues; the customer never sees it")
			: __("Write a message, or / for quick replies");
		this.send_button.textContent = this.is_note ? __("Save Note") : __("Send");
		this.above_text();
		this.show_send();
		this.grow();
	}

	// A person's own wish to write a note, or to the customer
	write(mode) {
		if (mode !== this.mode && (mode === NOTE || this.may_write)) {
			this.keep_draft();
			this.show_mode(mode);
		}
		this.text.focus();
	}

	keep_draft() {
		if (!this.ticket) return;
		this.draft.text = this.text.value;
		this.drafts.put(this.ticket, this.mode, this.draft);
	}

	written() {
		this.grow();
		if (this.draft.quick_reply && !this.text.value.trim()) this.use_reply(null);
		this.keep_draft();
		this.quick.offer();
		this.hint();
		if (!this.is_note && this.text.value.trim() && Date.now() - (this.said_ms || 0) > TYPING_MS) {
			this.said_ms = Date.now();
			// a colleague sees it a moment later, or not
			attempt("inbox.typing", { ticket: this.ticket }).catch(() => {});
		}
	}

	// Said, never in the way
	hint() {
		const { items } = this.inbox.thread;
		const is_hinting =
			Boolean(this.can?.hints_joining) &&
			!this.is_note &&
			may_be_joined(items, this.text.value, this.inbox.now());
		if (is_hinting === Boolean(this.is_hinting)) return;
		this.is_hinting = is_hinting;
		this.show_above();
	}

	grow() {
		this.text.style.height = "auto";
		this.text.style.height = `${Math.min(this.text.scrollHeight + 2, 160)}px`;
	}

	pressed(event) {
		if (event.isComposing) return;
		if (!this.popup.hidden && this.quick.chosen(event)) return;
		const is_with_control = event.ctrlKey || event.metaKey;
		if (event.key === "Enter" && is_with_control) {
			event.preventDefault();
			this.send();
		}
		if ((event.code === "Slash" || event.key === "/") && is_with_control && !event.altKey) {
			event.preventDefault();
			this.pick();
		}
		if (event.key === "Escape") {
			this.popup.hidden = true;
			this.quote(null);
			this.text.blur();
		}
	}

	// Quick replies by a key: «/» lies elsewhere on an Arabic keyboard
	pick() {
		this.write(REPLY);
		if (!this.is_note) this.quick.pick();
	}

	// A note quotes nothing: who quotes writes to the customer, and sees that
	quote(item) {
		if (item && !this.may_write) return toast(__("The customer can't be answered here now."));
		if (item && this.is_note) this.write(REPLY);
		if (!item && !this.draft.quoted) return;
		this.draft.quoted = item && { message_key: item.message_key, line: item.line };
		this.keep_draft();
		this.show_above();
		if (item) this.text.focus();
	}

	// The text comes from a quick reply, whose file goes with it; null: it is the writer's own
	use_reply(reply) {
		this.draft.quick_reply = reply;
		this.grow();
		this.keep_draft();
		this.show_above();
	}

	// Sending: the draft keeps its key until it is done, so that a repeated click, also after a lost answer,
	// is one message; the text stays until the server has it

	may_send() {
		const is_allowed = this.inbox.thread.head && (this.is_note || this.may_write);
		return Boolean(is_allowed && !this.sending.has(`${this.ticket}:${this.mode}`));
	}

	show_send() {
		this.send_button.disabled = !this.may_send();
	}

	send(more = {}) {
		const { ticket, mode } = this;
		const body = this.text.value;
		if (!body.trim() || !this.may_send()) return;
		this.keep_draft();
		this.sending.add(`${ticket}:${mode}`);
		this.show_send();
		this.asked(ticket, mode, body, more)
			.then(() => this.sent(ticket, mode, body))
			.catch((error) => this.refused(error, ticket, mode))
			.finally(() => {
				this.sending.delete(`${ticket}:${mode}`);
				this.show_send();
			});
	}

	asked(ticket, mode, body, more) {
		const { key, quoted, quick_reply } = this.draft;
		if (mode === NOTE) return attempt("conversation.note", { ticket, body, client_key: key });
		return attempt("conversation.reply", {
			ticket,
			body,
			client_key: key,
			reply_to: quoted?.message_key,
			quick_reply: quick_reply?.name,
			seen_ms: this.last_seen(),
			...more,
		});
	}

	last_seen() {
		const shown = this.inbox.thread.items.filter((item) => item.kind === "message");
		return shown.length ? shown[shown.length - 1].sent_ms : null;
	}

	// What was written on meanwhile is another message, which is not sent yet
	sent(ticket, mode, body) {
		const is_here = this.ticket === ticket && this.mode === mode;
		const written = is_here ? this.text.value : this.drafts.get(ticket, mode).text;
		this.drafts.drop(ticket, mode);
		if (written !== body) this.drafts.put(ticket, mode, { text: written, key: uuid(), quoted: null });
		if (this.ticket !== ticket) return;
		if (is_here) {
			this.show_mode(mode);
			this.text.focus();
		}
		this.inbox.thread.changed().then(() => this.inbox.thread.to_end());
	}

	refused(error, ticket, mode) {
		// the text waits where it was written
		if (this.ticket !== ticket || this.mode !== mode) return toast(error.text, "red");
		const again = (label, more, key) =>
			el("button", { class: "btn btn-xs btn-default", onclick: () => this.again(more, key) }, label);
		const ways = {
			answered_meanwhile: [error.text, again(__("Send Anyway"), { seen_ms: null })],
			sent_before: [error.text, again(__("Send as Well"), {}, uuid())],
		};
		const unknown = [
			__(
				"No answer came, so nobody knows whether it was sent. Your text is kept. Send it again: it arrives once only.",
			),
			again(__("Send Again")),
		];
		const [text, button] = ways[error.code] || (error.is_unknown ? unknown : [error.text, ""]);
		this.problem = { text, again: button };
		this.show_above();
		if (
			[
				"answered_meanwhile",
				"sent_before",
				"window_closed",
				"ticket_closed",
				"not_your_ticket",
			].includes(error.code)
		)
			this.inbox.thread.catch_up();
	}

	again(more, key = this.draft.key) {
		this.draft.key = key;
		this.send(more);
	}

	smiles() {
		if (!this.popup.hidden) return (this.popup.hidden = true);
		this.popup.replaceChildren(
			...SMILES.map((smile) =>
				el("button", { class: "kin-smile", onclick: () => this.insert(smile) }, smile),
			),
		);
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
