// The list of conversations: which one is asked for, its pages by cursor, and what the server tells of
// single lines. What is drawn are components; what is done to lines is in `line_acts.js`. A search looks
// through all that one may see, whatever view is open.

import { shallowReactive } from "vue";

import InboxList from "./components/InboxList.vue";
import { desk_host } from "../host/desk_host.js";
import { mount } from "../host/host.js";
import { Drafts, NOTE, REPLY } from "./drafts.js";
import { colour, waiting } from "./line.js";
import { LineActs } from "./line_acts.js";
import { ListChoice } from "./list_choice.js";
import { Rows } from "./rows.js";
import { Sight } from "./sight.js";
import { Ticked } from "./ticked.js";
import { el, look } from "./util.js";
import { OWN_SORTS, Wanted, is_same } from "./wanted.js";

const PAGE = 30;
const NEXT_PAGE = 100;
const AHEAD = 100; // lines that are read before they come into sight
const MAX_NAMES = 50; // that the server takes at once
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
		this.choice = new ListChoice(this);
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
		this.sight = new Sight(this.shown);
		this.show_wanted();
		this.root = el("section", { class: "kin-list", "aria-label": __("Conversations") });
		mount(InboxList, { state: this.shown, clock: this.clock, does: this.does() }, this.root, desk_host);
		window.addEventListener("storage", () => this.drafts_changed());
	}

	// What components ask for
	does() {
		return {
			...this.acts.does(),
			...this.choice.does(),
			choose: (view) => this.choose(view),
			search_box: (box) => (this.search = box),
			box: (box) => (this.sight.box = box),
			scrolled: () => this.scrolled(),
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
		return this.choice.change(() => this.wants.choose(view));
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
		this.sight.begin();
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
				this.sight.fit();
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
		if (this.sight.is_at_top)
			return first.then((page) => asked === this.asked && this.take_first(page)).catch(() => {});
		return Promise.all([first, this.ask(this.sight.names().slice(0, MAX_NAMES))])
			.then(([page]) => {
				if (asked !== this.asked) return;
				this.rows.renew(page);
				this.note_counts(page);
				this.draw(new Set(page.rows.map((row) => row.ticket)));
			})
			.catch(() => {}); // the next look by the clock brings it
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
		const ahead = this.sight.is_at_top ? 5 : AHEAD;
		if (!this.rows.cursor || this.is_loading || this.sight.left() > ahead) return;
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
		this.clock.now = this.inbox.now();
		Object.assign(this.shown, {
			...{ size: cursor ? counted : list.length, failure: null },
			nothing: list.length ? "" : this.nothing(),
		});
		this.sight.put([...list], moved).then(() => cursor && this.more());
	}

	scrolled() {
		if (!this.sight.box) return;
		this.sight.fit();
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
		this.sight.reveal(this.rows.find(this.inbox.ticket));
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

	after_closing(ticket) {
		return this.acts.after_closing(ticket);
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
