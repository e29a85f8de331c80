// The thread in the middle: its head with what can be done, its items, and what happens to them.

import { bubble, day_line, event_line } from "./bubble.js";
import { chips } from "./care.js";
import { failure } from "./notices.js";
import { new_holder } from "./people.js";
import { Typing } from "./typing.js";
import { attempt, avatar, day, el, icon, look, read, toast, uuid } from "./util.js";

const GONE = ["not_permitted", "no_such_ticket"];

// What the customer answered when this conversation began
const campaign = (title) =>
	title
		? el("bdi", {
				class: "kin-tag kin-campaign",
				title: __("Answers the campaign {0}", [title]),
				text: title,
			})
		: "";

export class Thread {
	constructor(inbox) {
		this.inbox = inbox;
		this.items = [];
		this.can = {};
		this.make();
	}

	make() {
		this.top = el("header", { class: "kin-thread-head" });
		this.asked = el("div", { class: "kin-asked" });
		this.log = el("div", {
			class: "kin-log",
			role: "log",
			"aria-live": "polite",
			"aria-label": __("Messages"),
			tabindex: "0",
			onscroll: () => this.scrolled(),
		});
		this.typing = new Typing();
		this.latest = el(
			"button",
			{
				class: "kin-latest btn btn-default",
				hidden: true,
				"aria-label": __("To the latest message"),
				onclick: () => this.to_end(),
			},
			"↓",
		);
		this.root = el(
			"section",
			{ class: "kin-thread", "aria-label": __("Conversation") },
			this.top,
			this.asked,
			this.log,
			this.latest,
			this.typing.root,
		);
	}

	// Thread, customer, rights and the line in the list come in one answer; whoever holds it has read it
	// thereby
	open(ticket) {
		this.ticket = ticket;
		this.items = [];
		this.seen_ms = null;
		this.top.replaceChildren(this.back_button());
		this.inbox.panel.clear();
		this.log.replaceChildren(el("div", { class: "kin-empty", text: __("Loading…") }));
		const wanted = this.inbox.list.wanted();
		return attempt("inbox.open_conversation", { ticket, ...wanted, is_seen: document.hidden ? 0 : 1 })
			.then((opened) => {
				if (this.ticket !== ticket) return;
				this.before = opened.next_before;
				this.take(opened);
				this.items = opened.items;
				this.draw();
				this.to_end();
				this.inbox.panel.show(ticket, opened.customer);
				this.inbox.list.opened(opened, wanted);
			})
			.catch((error) => this.not_opened(ticket, error));
	}

	not_opened(ticket, error) {
		if (this.ticket !== ticket) return;
		if (GONE.includes(error.code)) return this.inbox.left(ticket, error.text);
		this.log.replaceChildren(failure(error, () => this.open(ticket)));
	}

	mark_read() {
		const { ticket, is_mine, unread_count } = this.head;
		if (!is_mine || !unread_count || document.hidden) return;
		attempt("conversation.mark_read", { ticket })
			.then(() => this.inbox.live.now(ticket))
			.catch(() => {}); // the next look marks it
	}

	take(answer) {
		this.head = answer.ticket;
		this.can = answer.can;
		this.service_window = answer.service_window;
		this.seen_ms = answer.now_ms;
		this.inbox.clock(answer.now_ms);
		this.show_head();
		this.typing.set(answer.typing);
		this.inbox.composer.fit(this);
	}

	// What was added or changed since we last asked; the place in the thread stays, unless it was at its end
	catch_up() {
		const ticket = this.ticket;
		if (!ticket || !this.seen_ms) return Promise.resolve();
		const wanted = look("inbox.changes", { ticket, after_ms: this.seen_ms });
		return wanted
			.then((changes) => this.take_changes(ticket, changes))
			.catch((error) => {
				if (GONE.includes(error.code)) this.inbox.left(ticket);
			});
	}

	take_changes(ticket, changes) {
		if (this.ticket !== ticket) return;
		const is_at_end = this.is_at_end();
		this.take(changes);
		this.mark_read();
		if (!changes.items.length) return;
		const fresh = new Map(changes.items.map((item) => [item.name, item]));
		const kept = this.items.map((item) => {
			const newer = fresh.get(item.name);
			fresh.delete(item.name);
			return newer || item;
		});
		for (const item of fresh.values())
			if (item.direction === "Outgoing") this.typing.drop(item.sender_name); // written, then
		this.items = [...kept, ...fresh.values()].sort(by_place);
		this.draw();
		if (is_at_end) this.to_end();
		else if (fresh.size) this.latest.hidden = false;
	}

	older() {
		if (!this.before || this.is_loading) return;
		this.is_loading = true;
		const ticket = this.ticket;
		const height = this.log.scrollHeight - this.log.scrollTop;
		read("inbox.thread", { ticket, before: this.before })
			.then((page) => {
				if (this.ticket !== ticket) return;
				this.before = page.next_before;
				this.items = [...page.items, ...this.items];
				this.draw();
				this.log.scrollTop = this.log.scrollHeight - height;
			})
			.catch((error) => toast(error.text, "red"))
			.finally(() => (this.is_loading = false));
	}

	draw() {
		const nodes = [];
		let last_day = "";
		if (this.before)
			nodes.push(
				el(
					"button",
					{ class: "btn btn-xs btn-default kin-older", onclick: () => this.older() },
					__("Load Older"),
				),
			);
		for (const item of this.items) {
			const name = day(at(item));
			if (name !== last_day) nodes.push(day_line(name));
			last_day = name;
			nodes.push(item.kind === "event" ? event_line(item) : bubble(item, this));
		}
		this.log.replaceChildren(...nodes);
	}

	show_head() {
		const head = this.head;
		this.asked.replaceChildren(new_holder(this));
		const actions = el("div", { class: "kin-actions" });
		const add = (label, name, go, style = "btn-default") =>
			actions.append(
				el(
					"button",
					{ class: `btn btn-sm ${style}`, onclick: go, title: label },
					icon(name),
					el("span", { class: "kin-label", text: label }),
				),
			);
		if (head.rights.assign && !head.rights.on_behalf)
			add(__("Take"), "assign", () => this.inbox.dialogs.take(), "btn-primary");
		for (const act of this.inbox.dialogs.acts(head)) add(act.label, act.icon, act.go);
		if (head.rights.transfer) add(__("Transfer"), "arrow-right", () => this.inbox.dialogs.transfer());
		if (head.rights.close && head.waiting_since_ms)
			add(__("No Reply Needed"), "check", () => this.do("conversation.no_reply_needed"));
		if (head.rights.close) add(__("Close"), "close", () => this.inbox.dialogs.close());
		if (head.rights.reopen) add(__("Reopen"), "refresh", () => this.do("conversation.reopen"));
		if (head.may_ask) add(__("Ask for a Rating"), "star", () => this.do("care.ask_rating"));
		const wait = this.inbox.list.waiting(head);
		this.top.replaceChildren(
			this.back_button(),
			avatar(head.customer_name),
			el(
				"button",
				{ class: "kin-who", onclick: () => this.inbox.toggle_panel() },
				el("bdi", { class: "kin-name", text: head.customer_name || head.ticket }),
				el(
					"span",
					{ class: "kin-sub" },
					el("bdi", {
						text: [head.agent_name || __("Waiting for an agent"), head.branch]
							.filter(Boolean)
							.join(" · "),
					}),
					" ",
					wait,
					...chips(head),
					campaign(head.campaign),
				),
			),
			actions,
		);
	}

	back_button() {
		return el(
			"button",
			{ class: "btn btn-sm kin-back", "aria-label": __("Back"), onclick: () => this.inbox.back() },
			icon("left"),
		);
	}

	is_at_end() {
		return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
	}

	to_end() {
		this.log.scrollTop = this.log.scrollHeight;
		this.latest.hidden = true;
	}

	scrolled() {
		if (this.log.scrollTop < 60) this.older();
		if (this.is_at_end()) this.latest.hidden = true;
	}

	jump_to(name) {
		const target = this.log.querySelector(`[data-name="${CSS.escape(name)}"]`);
		if (!target) return this.reach(name);
		target.scrollIntoView({ block: "center" });
		target.classList.add("flash");
		setTimeout(() => target.classList.remove("flash"), 1500);
	}

	// It is further up than what was read: everything down from shortly before it
	reach(name) {
		const ticket = this.ticket;
		return read("inbox.thread", { ticket, around: name })
			.then((page) => {
				if (this.ticket !== ticket) return;
				if (!page.items.some((item) => item.name === name))
					return toast(__("It is further up: load older messages."));
				Object.assign(this, { items: page.items, before: page.next_before });
				this.draw();
				this.jump_to(name);
			})
			.catch((error) => toast(error.text, "red"));
	}

	quote(item) {
		this.inbox.composer.quote(item);
	}

	do(method, args = {}) {
		return attempt(method, { ticket: this.ticket, ...args })
			.then(() => this.changed())
			.catch((error) => toast(error.text, "red"));
	}

	changed() {
		this.inbox.live.now(this.ticket);
		return this.catch_up();
	}

	react(item, emoji) {
		attempt("conversation.react", { ticket: this.ticket, message: item.name, emoji, client_key: uuid() })
			.then(() => setTimeout(() => this.catch_up(), 1500))
			.catch((error) => toast(error.text, "red"));
	}

	send_again(item) {
		const go = () =>
			attempt("conversation.retry_message", { message: item.name })
				.then(() => this.changed())
				.catch((error) => toast(error.text, "red"));
		if (item.status === "Failed") return go();
		frappe.confirm(
			__("Nobody knows whether it arrived. If it did, the customer reads it twice. Send it again?"),
			go,
		);
	}

	settle(item, method) {
		attempt(`conversation.${method}`, { message: item.name })
			.then(() => this.changed())
			.catch((error) => toast(error.text, "red"));
	}

	fetch_again(item) {
		attempt("media.fetch_again", { message: item.name })
			.then(() => this.changed())
			.catch((error) => toast(error.text, "red"));
	}

	clear() {
		this.ticket = this.head = this.seen_ms = null;
		this.items = [];
		this.top.replaceChildren();
		this.asked.replaceChildren();
		this.typing.clear();
		this.log.replaceChildren(
			el(
				"div",
				{ class: "kin-empty" },
				icon("small-message", "lg"),
				el("p", { text: __("Choose a conversation.") }),
			),
		);
	}
}

function at(item) {
	return item.kind === "event" ? item.at_ms : item.sent_ms;
}

// The server's order: by time, events before messages of the same moment, then as the messages were numbered
function by_place(one, other) {
	const rank = (item) => (item.kind === "event" ? 0 : 1);
	const by_name = one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
	return (
		at(one) - at(other) ||
		rank(one) - rank(other) ||
		(one.sequence || 0) - (other.sequence || 0) ||
		by_name
	);
}
