// The list of conversations: which one is asked for, its pages by cursor, and what the server tells of single lines.
// What is drawn are components; what is done to lines is in `line_acts.js`. A search looks through all that one may
// see, whatever view is open.

import { nextTick, shallowReactive } from "vue";

import InboxList from "./components/InboxList.vue";
import { desk_host } from "../host/desk_host.js";
import { mount } from "../host/host.js";
import { Drafts, NOTE, REPLY } from "./drafts.js";
import { colour, waiting } from "./line.js";
import { LineActs } from "./line_acts.js";
import { Rows } from "./rows.js";
import { Ticked } from "./ticked.js";
import { attempt, el, look, read, toast } from "./util.js";
import { OWN_SORTS, Wanted, is_same } from "./wanted.js";
import { anchor, below, drawn, in_sight, kept, revealing } from "./window.js";

const PAGE = 30;
const NEXT_PAGE = 100;
const AHEAD = 100; // lines that are read before they come into sight
const MAX_NAMES = 50; // that the server takes at once
const TYPING = 350; // until what is typed is looked for
const NONE = new Set();

export class ConversationList {
	constructor(inbox) {
		this.inbox = inbox;
		this.first = inbox.me.agent ? "mine" : "all"; // who answers nobody has none of his own
		this.wants = new Wanted(this.first);
		this.rows = new Rows();
		this.ticked = new Ticked();
		this.drafts = new Drafts(window.localStorage, frappe.session.user, () => "");
		this.asked = 0;
		this.acts = new LineActs(this);
		this.make();
	}

	make() {
		this.clock = shallowReactive({ now: this.inbox.now() });
		this.shown = shallowReactive({
			...{ views: this.views().map(([name, label]) => ({ name, label })), open: "", counts: {} },
			...{ lists: this.inbox.settings.views, opens_next: this.inbox.settings.opens_next },
			...{ rows: [], size: -1, first: 0, last: 0, active: null, ticked: NONE, drafts_at: 0 },
			...{ failure: null, nothing: "", menu: null, outcome: null, is_narrowing: false, choices: null },
			...{ branches: this.inbox.branches, close_reasons: this.acts.close_reasons() },
		});
		this.show_wanted();
		this.root = el("section", { class: "kin-list", "aria-label": __("Conversations") });
		mount(InboxList, { state: this.shown, clock: this.clock, does: this.does() }, this.root, desk_host);
		window.addEventListener("storage", () => this.drafts_changed());
	}

	// What components ask for
	does() {
		return {
			...this.acts.does(),
			choose: (view) => this.choose(view),
			open_list: (one) => this.change(() => this.wants.open(one)),
			search: (text) => this.typed(text),
			search_box: (box) => (this.search = box),
			narrow: (name, value) => this.change(() => this.wants.narrow(name, value)),
			order: (sort) => this.change(() => this.wants.order(sort)),
			widen: () => this.change(() => Object.assign(this.wants, { filters: {}, kept: "" })),
			narrowing: (is_open) => this.narrowing(is_open),
			choices: () => this.choices(),
			keep: (name) => this.keep(name),
			forget: (name) => this.forget(name),
			open_next: (is_wanted) => this.set_open_next(is_wanted),
			box: (box) => (this.box = box),
			scrolled: () => this.scrolled(),
			key: (event) => this.key(event),
			again: () => this.load(),
			draft: (ticket) => this.draft(ticket),
		};
	}

	get view() {
		return this.wants.view;
	}

	set view(view) {
		this.wants.view = view;
		this.show_wanted();
	}

	views() {
		const all = this.inbox.me.is_manager ? [["all", __("All")]] : [];
		return [
			["mine", __("Mine")],
			["queue", __("Queue")],
			["delayed", __("Delayed")],
			["snoozed", __("Snoozed")],
			...all,
			["closed", __("Closed")],
		];
	}

	has(view) {
		return this.views().some(([name]) => name === view);
	}

	show_tabs(counts = this.shown.counts) {
		this.shown.counts = counts;
		this.show_wanted();
		document.title = counts.unread ? `(${counts.unread}) ${__("WhatsApp Inbox")}` : __("WhatsApp Inbox");
	}

	show_wanted() {
		const { search, filters, sort, kept: name, is_search, is_narrowed, view } = this.wants;
		const open = is_search || name ? "" : view;
		const chosen = { open, search, filters, sort, is_narrowed, kept: is_search ? "" : name };
		Object.assign(this.shown, { ...chosen, own_sort: OWN_SORTS[view] });
	}

	// Another list

	choose(view) {
		return this.change(() => this.wants.choose(view));
	}

	change(go) {
		clearTimeout(this.typing);
		go();
		this.acts.untick();
		this.show_tabs();
		if (!this.inbox.ticket) this.show_address();
		return this.begin();
	}

	typed(text) {
		this.wants.search = this.shown.search = text;
		clearTimeout(this.typing);
		this.typing = setTimeout(() => {
			this.acts.untick();
			this.show_tabs();
			this.begin();
		}, TYPING);
	}

	narrowing(is_open) {
		this.shown.is_narrowing = is_open;
		if (is_open) this.choices().catch((error) => toast(error.text, "red"));
	}

	choices() {
		return read("inbox_choices.filters").then((choices) => (this.shown.choices = choices));
	}

	keep(name) {
		const { view, filters, sort } = this.wants.asked;
		return attempt("inbox_settings.save_view", { name, view, filters, sort }).then(({ views }) => {
			this.shown.lists = views;
			this.wants.kept = (views.find((one) => one.name === name) || views[views.length - 1]).name;
			this.show_wanted();
		});
	}

	forget(name) {
		return attempt("inbox_settings.drop_view", { name }).then(({ views }) => {
			this.shown.lists = views;
			this.wants.kept = "";
			this.show_wanted();
		});
	}

	set_open_next(is_wanted) {
		return attempt("inbox_settings.open_next", { is_wanted: is_wanted ? 1 : 0 }).then(
			({ opens_next }) => (this.shown.opens_next = opens_next),
		);
	}

	// The address of the list that is open, so that it is the same one after the page is loaded again
	show_address() {
		this.inbox.replace_address(
			this.view === this.first ? "/app/khalifa-inbox" : `/app/khalifa-inbox/${this.view}`,
		);
	}

	// What is asked for, with every question
	wanted() {
		return this.wants.asked;
	}

	is_wanted(asked) {
		return is_same(asked, this.wanted());
	}

	begin() {
		this.box.scrollTop = this.top = 0;
		return this.load();
	}

	load() {
		const asked = ++this.asked;
		return look("inbox.conversations", { ...this.wanted(), limit: PAGE })
			.then((page) => {
				if (asked !== this.asked) return;
				this.is_loaded = true;
				this.take_first(page);
			})
			.catch((error) => {
				if (asked !== this.asked) return;
				this.is_loaded = false;
				this.rows.reset({ rows: [], next_cursor: "", is_descending: true });
				Object.assign(this.shown, { rows: [], nothing: "", failure: { text: error.text } });
				this.fit();
			});
	}

	take_first(page) {
		this.rows.reset(page);
		this.note_counts(page);
		this.draw();
	}

	// Everything that is in sight, as it is now, without losing the place
	refresh() {
		if (!this.is_loaded) return this.load();
		const asked = this.asked;
		const first = look("inbox.conversations", { ...this.wanted(), limit: PAGE });
		if (this.box.scrollTop <= 0)
			return first.then((page) => asked === this.asked && this.take_first(page)).catch(() => {});
		return Promise.all([first, this.ask(this.names_in_sight())])
			.then(([page]) => {
				if (asked !== this.asked) return;
				this.rows.renew(page);
				this.note_counts(page);
				this.draw(new Set(page.rows.map((row) => row.ticket)));
			})
			.catch(() => {}); // the next look by the clock brings it
	}

	names_in_sight() {
		const { scrollTop, clientHeight } = this.box;
		const rows = in_sight(this.shown.rows, scrollTop, clientHeight);
		return rows.map((row) => row.ticket).slice(0, MAX_NAMES);
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
		const { scrollTop, clientHeight } = this.box;
		const ahead = scrollTop > 0 ? AHEAD : 5;
		const left = below(scrollTop, clientHeight, this.rows.list.length);
		if (!this.rows.cursor || this.is_loading || left > ahead) return;
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

	// Other rows, or the same in another order; whoever reads further down keeps the place
	draw(moved = NONE) {
		const { list, cursor } = this.rows;
		const counted = this.wants.is_search ? -1 : this.shown.counts[this.view] || -1;
		const top = this.top ?? this.box.scrollTop;
		this.top = kept(list, anchor(this.shown.rows, top, moved), top);
		this.clock.now = this.inbox.now();
		Object.assign(this.shown, {
			...{ rows: [...list], size: cursor ? counted : list.length, failure: null },
			nothing: list.length ? "" : this.nothing(),
		});
		this.fit();
		nextTick(() => {
			if (this.top !== null && this.box.scrollTop !== this.top) this.box.scrollTop = this.top;
			this.top = null;
			this.fit();
			if (cursor) this.more();
		});
	}

	// Which lines are drawn
	fit() {
		const top = this.top ?? this.box.scrollTop;
		Object.assign(this.shown, drawn(top, this.box.clientHeight, this.shown.rows.length));
	}

	scrolled() {
		if (!this.box) return;
		this.fit();
		this.more();
	}

	nothing() {
		if (this.wants.is_search) return __("Nothing was found in any conversation that you may see.");
		if (this.wants.is_narrowed) return __("No conversation here passes the filters.");
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
		this.clock.now = this.inbox.now();
		const pills = this.root.ownerDocument.querySelectorAll(".khalifa-inbox .kin-wait[data-counts]");
		for (const pill of pills) colour(pill, this.inbox);
	}

	// Drafts

	draft(ticket) {
		const text = this.drafts.get(ticket, REPLY).text || this.drafts.get(ticket, NOTE).text;
		return text.trim().slice(0, 100);
	}

	drafts_changed() {
		this.shown.drafts_at += 1;
	}

	// Which one is open

	mark_active() {
		this.shown.active = this.inbox.ticket;
		this.drafts_changed();
		const { scrollTop, clientHeight } = this.box;
		const top = revealing(this.rows.find(this.inbox.ticket), scrollTop, clientHeight);
		if (top === scrollTop) return;
		this.box.scrollTop = top;
		this.fit();
	}

	key(event) {
		const does =
			this.acts.keys()[event.key] ||
			{
				ArrowDown: () => this.move(1),
				ArrowUp: () => this.move(-1),
			}[event.key];
		if (!does || event.altKey || ((event.ctrlKey || event.metaKey) && event.key !== "a")) return;
		if (event.key === "a" && !event.ctrlKey && !event.metaKey) return;
		if (does() === false) return;
		event.preventDefault();
		event.stopPropagation();
	}

	move(step) {
		const next = this.beside(this.inbox.ticket, step);
		if (next && next.ticket !== this.inbox.ticket) this.inbox.open(next.ticket);
	}

	// The line so many steps from this one, or the last one in that direction
	beside(ticket, step) {
		const { list } = this.rows;
		const place = this.rows.find(ticket);
		return list[Math.min(Math.max(place + step, 0), list.length - 1)];
	}

	// What one has just closed leaves; who wishes so goes on with the next one
	after_closing(ticket) {
		if (!this.shown.opens_next || this.inbox.ticket !== ticket) return;
		const next = [this.beside(ticket, 1), this.beside(ticket, -1)].find(
			(row) => row && row.ticket !== ticket && row.status !== "Closed",
		);
		if (next) return this.inbox.open(next.ticket);
		this.inbox.close();
		this.show_address();
	}

	tick_current() {
		if (this.inbox.ticket) this.acts.tick(this.inbox.ticket);
	}

	mark_unread(ticket) {
		return this.acts.unread({ ticket });
	}

	pin(ticket) {
		const row = this.rows.known.get(ticket);
		return this.acts.pin({ ticket }, !row?.is_pinned);
	}
}
