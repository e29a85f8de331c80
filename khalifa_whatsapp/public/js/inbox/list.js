// The list of conversations: views, search, pages by cursor. What the server tells changes single lines, not
// the list. A search looks through all that one may see, whatever view is open.

import { reactive } from "vue";

import ListTabs from "./components/ListTabs.vue";
import { desk_host } from "../host/desk_host.js";
import { mount } from "../host/host.js";
import { line, line_id, colour, waiting } from "./line.js";
import { failure } from "./notices.js";
import { Rows } from "./rows.js";
import { el, icon, look } from "./util.js";
import { VisibleRows } from "./visible_rows.js";

const PAGE = 30;
const NEXT_PAGE = 100;
const AHEAD = 100; // lines that are read before they come into sight
const MAX_NAMES = 50; // that the server takes at once

export class ConversationList {
	constructor(inbox) {
		this.inbox = inbox;
		this.view = this.first = inbox.me.agent ? "mine" : "all"; // who answers nobody has none of his own
		this.rows = new Rows();
		this.asked = 0;
		this.make();
	}

	make() {
		this.tabs = el("div");
		this.shown = reactive({
			views: this.views().map(([name, label]) => ({ name, label })),
			open: "",
			counts: {},
			onChoose: (name) => this.choose(name),
		});
		mount(ListTabs, this.shown, this.tabs, desk_host);
		this.search = el("input", {
			class: "form-control kin-search",
			type: "search",
			placeholder: __("Search names, numbers, messages"),
			"aria-label": __("Search"),
			oninput: frappe.utils.debounce(() => this.searched(), 350),
		});
		this.lines = el("div", {
			class: "kin-lines",
			role: "listbox",
			tabindex: "0",
			"aria-label": __("Conversations"),
			onkeydown: (event) => this.key(event),
		});
		this.visible = new VisibleRows(
			this.lines,
			(row) => line(row, this.inbox),
			() => this.point(),
		);
		this.lines.addEventListener("scroll", () => this.more(), { passive: true });
		this.root = el(
			"section",
			{ class: "kin-list", "aria-label": __("Conversations") },
			el("div", { class: "kin-list-head" }, this.tabs, this.search),
			this.lines,
		);
	}

	views() {
		const all = this.inbox.me.is_manager ? [["all", __("All")]] : [];
		return [
			["mine", __("Mine")],
			["queue", __("Queue")],
			["delayed", __("Delayed")],
			...all,
			["closed", __("Closed")],
		];
	}

	show_tabs(counts = this.counts) {
		this.counts = counts;
		this.shown.open = this.is_search() ? "" : this.view;
		this.shown.counts = counts;
		document.title = counts.unread ? `(${counts.unread}) ${__("WhatsApp Inbox")}` : __("WhatsApp Inbox");
	}

	has(view) {
		return this.views().some(([name]) => name === view);
	}

	choose(view) {
		this.view = view;
		this.search.value = "";
		this.show_tabs();
		if (!this.inbox.ticket) this.show_address();
		return this.begin();
	}

	// The address of the list that is open, so that it is the same one after the page is loaded again
	show_address() {
		this.inbox.replace_address(
			this.view === this.first ? "/app/khalifa-inbox" : `/app/khalifa-inbox/${this.view}`,
		);
	}

	is_search() {
		return Boolean(this.search.value.trim());
	}

	searched() {
		this.show_tabs();
		return this.begin();
	}

	// What is asked for, with every question
	wanted() {
		return { view: this.view, search: this.search.value.trim() };
	}

	is_wanted(asked) {
		const now = this.wanted();
		return asked.view === now.view && asked.search === now.search;
	}

	begin() {
		this.lines.scrollTop = 0;
		return this.load();
	}

	load() {
		const asked = ++this.asked;
		return look("inbox.conversations", { ...this.wanted(), limit: PAGE })
			.then((page) => {
				if (asked !== this.asked) return;
				this.is_loaded = true;
				this.rows.reset(page);
				this.note_counts(page);
				this.draw();
			})
			.catch((error) => {
				if (asked !== this.asked) return;
				this.is_loaded = false;
				this.rows.reset({ rows: [], next_cursor: "", is_descending: true });
				this.visible.clear();
				this.lines.replaceChildren(failure(error, () => this.load()));
			});
	}

	// Everything that is in sight, as it is now, without losing the place
	refresh() {
		if (!this.is_loaded) return this.load();
		const asked = this.asked;
		if (this.lines.scrollTop <= 0) return this.renew(asked);
		const names = this.visible
			.in_sight()
			.map((row) => row.ticket)
			.slice(0, MAX_NAMES);
		return Promise.all([look("inbox.conversations", { ...this.wanted(), limit: PAGE }), this.ask(names)])
			.then(([page]) => {
				if (asked !== this.asked) return;
				this.rows.renew(page);
				this.note_counts(page);
				this.draw(new Set(page.rows.map((row) => row.ticket)));
			})
			.catch(() => {}); // the next look by the clock brings it
	}

	// What is shown stays until there is something newer to show
	renew(asked) {
		return look("inbox.conversations", { ...this.wanted(), limit: PAGE })
			.then((page) => {
				if (asked !== this.asked) return;
				this.rows.reset(page);
				this.note_counts(page);
				this.draw();
			})
			.catch(() => {});
	}

	// A line that came with the conversation that was opened
	opened({ row, ...answer }, wanted) {
		this.note_counts(answer);
		if (!row || !this.is_loaded || !this.is_wanted(wanted)) return;
		this.rows.take([row.ticket], [row]);
		this.draw(new Set([row.ticket]));
	}

	// Single lines: put where they belong now, or taken out. The answer also holds lines that this list does
	// not show
	ask(names) {
		const wanted = this.wanted();
		const asked = names.slice(0, MAX_NAMES);
		return look("inbox.rows", { tickets: JSON.stringify(asked), ...wanted }).then((answer) => {
			this.note_counts(answer);
			if (!this.is_wanted(wanted)) return answer;
			this.rows.take(asked, answer.rows);
			this.draw(new Set(asked));
			return answer;
		});
	}

	note_counts(answer) {
		this.inbox.clock(answer.now_ms);
		this.show_tabs(answer.counts);
	}

	more() {
		const ahead = this.lines.scrollTop > 0 ? AHEAD : 5;
		if (!this.rows.cursor || this.is_loading || this.visible.left() > ahead) return;
		this.is_loading = true;
		const asked = this.asked;
		look("inbox.conversations", { ...this.wanted(), cursor: this.rows.cursor, limit: NEXT_PAGE })
			.then((page) => {
				this.is_loading = false;
				if (asked !== this.asked) return;
				this.rows.add(page);
				this.draw();
			})
			.catch(() => (this.is_loading = false));
	}

	draw(moved) {
		const { list, cursor } = this.rows;
		const counted = this.is_search() ? -1 : this.counts[this.view] || -1;
		this.visible.set(list, cursor ? counted : list.length, moved);
		if (!list.length) {
			this.lines.replaceChildren(
				el("div", { class: "kin-empty" }, icon("inbox", "lg"), el("p", { text: this.nothing() })),
			);
			return;
		}
		if (cursor) this.more();
	}

	nothing() {
		if (this.is_search()) return __("Nothing was found in any conversation that you may see.");
		const texts = {
			mine: __("No conversation waits for you."),
			queue: __("The queue is empty."),
			delayed: __("Nobody waits too long."),
		};
		return texts[this.view] || __("There is nothing here.");
	}

	waiting(row) {
		return waiting(row, this.inbox);
	}

	// Every second while the page is open
	tick() {
		for (const pill of this.root.ownerDocument.querySelectorAll(".khalifa-inbox .kin-wait"))
			colour(pill, this.inbox);
	}

	mark_active() {
		this.visible.reveal(this.rows.find(this.inbox.ticket));
		for (const node of this.visible.nodes.values()) {
			const is_active = node.dataset.ticket === this.inbox.ticket;
			node.classList.toggle("active", is_active);
			node.setAttribute("aria-selected", String(is_active));
		}
		this.point();
	}

	// Which line a screen reader stands on: the open one, while it is in the document
	point() {
		const node = this.visible.nodes.get(this.inbox.ticket);
		if (node) this.lines.setAttribute("aria-activedescendant", line_id(node.dataset.ticket));
		else this.lines.removeAttribute("aria-activedescendant");
	}

	key(event) {
		const does = { ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1) }[event.key];
		if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
		event.preventDefault();
		does();
	}

	move(step) {
		const { list } = this.rows;
		const place = this.rows.find(this.inbox.ticket);
		const next = list[Math.min(Math.max(place + step, 0), list.length - 1)];
		if (next && next.ticket !== this.inbox.ticket) this.inbox.open(next.ticket);
	}
}
