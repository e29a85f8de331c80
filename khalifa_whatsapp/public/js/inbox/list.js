// The list of conversations: views, search, lines that count how long a customer has waited, pages by cursor.

import { avatar, el, icon, read, short_time, span } from "./util.js";

const PAGE = 30;
const MARKS = { Queued: "🕓", Sending: "🕓", Sent: "✓", Delivered: "✓✓", Read: "✓✓", Played: "✓✓", Failed: "⚠", Unknown: "?" };

export class ConversationList {
	constructor(inbox) {
		this.inbox = inbox;
		this.view = "mine";
		this.rows = [];
		this.cursor = "";
		this.asked = 0;
		this.make();
	}

	make() {
		this.tabs = el("div", { class: "kin-tabs", role: "tablist" });
		this.search = el("input", {
			class: "form-control kin-search", type: "search", placeholder: __("Search names, numbers, messages"),
			"aria-label": __("Search"), oninput: frappe.utils.debounce(() => this.load(), 350),
		});
		this.lines = el("div", { class: "kin-lines", role: "listbox", "aria-label": __("Conversations"), onscroll: () => this.more() });
		this.root = el("section", { class: "kin-list", "aria-label": __("Conversations") }, el("div", { class: "kin-list-head" }, this.tabs, this.search), this.lines);
	}

	views() {
		const all = this.inbox.me.is_manager ? [["all", __("All")]] : [];
		return [["mine", __("Mine")], ["queue", __("Queue")], ["delayed", __("Delayed")], ...all, ["closed", __("Closed")]];
	}

	show_tabs(counts) {
		this.counts = counts;
		this.tabs.replaceChildren(
			...this.views().map(([name, label]) =>
				el("button", {
					class: `kin-tab${name === this.view ? " active" : ""}`, role: "tab", "aria-selected": String(name === this.view),
					onclick: () => this.choose(name),
				}, label, counts[name] ? el("span", { class: `kin-count${name === "delayed" ? " bad" : ""}`, text: counts[name] }) : "")
			)
		);
		document.title = counts.unread ? `(${counts.unread}) ${__("WhatsApp Inbox")}` : __("WhatsApp Inbox");
	}

	choose(view) {
		this.view = view;
		this.load();
	}

	load() {
		const asked = ++this.asked;
		this.cursor = "";
		const search = this.search.value.trim();
		return read("inbox.conversations", { view: this.view, search, limit: PAGE }).then((found) => {
			if (asked !== this.asked) return;
			this.rows = found.rows;
			this.cursor = found.next_cursor;
			this.inbox.clock(found.now_ms);
			this.show_tabs(found.counts);
			this.draw();
		});
	}

	more() {
		const near_end = this.lines.scrollTop + this.lines.clientHeight > this.lines.scrollHeight - 400;
		if (!near_end || !this.cursor || this.is_loading) return;
		this.is_loading = true;
		const asked = this.asked;
		read("inbox.conversations", { view: this.view, search: this.search.value.trim(), cursor: this.cursor, limit: PAGE })
			.then((found) => {
				if (asked !== this.asked) return;
				const known = new Set(this.rows.map((row) => row.ticket));
				const fresh = found.rows.filter((row) => !known.has(row.ticket));
				this.rows.push(...fresh);
				this.cursor = found.next_cursor;
				this.lines.append(...fresh.map((row) => this.line(row)));
			})
			.finally(() => (this.is_loading = false));
	}

	draw() {
		const scrolled = this.lines.scrollTop;
		if (!this.rows.length) {
			this.lines.replaceChildren(el("div", { class: "kin-empty" }, icon("inbox", "lg"), el("p", { text: this.nothing() })));
			return;
		}
		this.lines.replaceChildren(...this.rows.map((row) => this.line(row)));
		this.lines.scrollTop = scrolled;
	}

	nothing() {
		if (this.search.value.trim()) return __("Nothing was found.");
		const words = {
			mine: __("No conversation waits for you."), queue: __("The queue is empty."), delayed: __("Nobody waits too long."),
		};
		return words[this.view] || __("There is nothing here.");
	}

	line(row) {
		const is_active = row.ticket === this.inbox.ticket;
		const mark = row.last_out_status && !row.waiting_since_ms ? MARKS[row.last_out_status] : "";
		return el(
			"div",
			{
				class: `kin-line${is_active ? " active" : ""}${row.unread_count ? " unread" : ""}`, role: "option", tabindex: "-1",
				"data-ticket": row.ticket, "aria-selected": String(is_active), onclick: () => this.inbox.open(row.ticket),
			},
			avatar(row.customer_name || row.phone),
			el("div", { class: "kin-line-body" },
				el("div", { class: "kin-line-top" },
					el("bdi", { class: "kin-name", text: row.customer_name || row.phone || row.ticket }),
					el("span", { class: "kin-when", text: row.last_message_ms ? short_time(row.last_message_ms) : "" })),
				el("div", { class: "kin-line-bottom" },
					el("span", { class: "kin-preview" }, mark ? el("span", { class: `kin-tick ${row.last_out_status}`, text: mark }) : "", el("bdi", { text: row.preview || "" })),
					row.unread_count ? el("span", { class: "kin-badge", text: row.unread_count }) : ""),
				el("div", { class: "kin-line-foot" },
					el("span", { class: "kin-agent", text: row.agent_name || __("Waiting for an agent") }),
					this.waiting(row))));
	}

	waiting(row) {
		if (!row.waiting_since_ms || row.status === "Closed") return "";
		const pill = el("span", { class: "kin-wait", "data-since": row.waiting_since_ms, "data-by": row.response_by_ms || "" });
		this.colour(pill);
		return pill;
	}

	// Every second while the page is open: how long, and how bad
	tick() {
		for (const pill of this.root.ownerDocument.querySelectorAll(".khalifa-inbox .kin-wait")) this.colour(pill);
	}

	colour(pill) {
		const now = this.inbox.now();
		const since = Number(pill.dataset.since);
		const by = Number(pill.dataset.by);
		const share = by > since ? (now - since) / (by - since) : 0;
		const level = by && now >= by ? "bad" : share * 100 >= this.inbox.warn_percent ? "warn" : "";
		pill.className = `kin-wait ${level}`;
		pill.textContent = span(now - since);
	}

	mark_active() {
		for (const line of this.lines.querySelectorAll(".kin-line")) {
			const is_active = line.dataset.ticket === this.inbox.ticket;
			line.classList.toggle("active", is_active);
			line.setAttribute("aria-selected", String(is_active));
			if (is_active) line.scrollIntoView({ block: "nearest" });
		}
	}

	move(step) {
		const place = this.rows.findIndex((row) => row.ticket === this.inbox.ticket);
		const next = this.rows[Math.min(Math.max(place + step, 0), this.rows.length - 1)];
		if (next) this.inbox.open(next.ticket);
	}
}
