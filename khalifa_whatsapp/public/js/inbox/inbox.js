// The page: list, thread, customer, and what keys do.

import { Composer } from "./composer.js";
import { Dialogs } from "./dialogs.js";
import { ConversationList } from "./list.js";
import { Live } from "./live.js";
import { Panel } from "./panel.js";
import { Thread } from "./thread.js";
import { act, el, read, toast } from "./util.js";

const WIDE = window.matchMedia("(min-width: 1200px)");
const CLOSED = "khalifa_panel_closed";

export class Inbox {
	constructor(wrapper) {
		this.wrapper = wrapper;
		this.offset = 0;
		this.page = frappe.ui.make_app_page({ parent: wrapper, title: __("WhatsApp Inbox"), single_column: true });
	}

	start() {
		return read("inbox.boot").then((found) => {
			Object.assign(this, { me: found.me, branches: found.branches, close_reasons: found.close_reasons, warn_percent: found.thresholds.warn_percent });
			this.clock(found.now_ms);
			this.make();
			this.list.show_tabs({});
			this.add_page_buttons();
			this.listen();
			this.is_ready = true;
			this.shown();
		});
	}

	make() {
		this.list = new ConversationList(this);
		this.thread = new Thread(this);
		this.dialogs = new Dialogs(this);
		this.composer = new Composer(this);
		this.panel = new Panel(this);
		this.live = new Live(this);
		this.thread.root.append(this.composer.root);
		this.root = el("div", { class: "khalifa-inbox" }, this.list.root, this.thread.root, this.panel.root);
		this.page.main[0].replaceChildren(this.root);
		this.wrapper.classList.add("khalifa-inbox-page");
		this.thread.clear();
		this.composer.root.hidden = true;
	}

	add_page_buttons() {
		this.socket_sign = $('<span class="kin-socket indicator-pill"></span>').appendTo(this.page.page_actions.find(".standard-actions").length ? this.page.page_actions : this.page.page_actions);
		if (this.me.agent) {
			const choose = (presence) => act("agents.set_presence", { presence }).then(() => this.show_presence(presence));
			for (const [value, label] of [["Online", __("Online")], ["Away", __("Away")], ["Offline", __("Offline")]]) {
				this.page.add_inner_button(label, () => choose(value), __("I Am"));
			}
			this.show_presence(this.me.availability);
		}
		this.page.add_menu_item(__("Notify Me of New Messages"), () => this.live.ask_notifications());
		this.page.add_menu_item(__("Keys"), () => this.dialogs.help());
	}

	show_presence(presence) {
		const colours = { Online: "green", Away: "orange", Offline: "gray" };
		this.page.set_indicator(__(presence || "Offline"), colours[presence] || "gray");
	}

	// Time: the server's clock, so that a wrong one here bends no waiting time

	clock(now_ms) {
		this.offset = now_ms - Date.now();
	}

	now() {
		return Date.now() + this.offset;
	}

	// Where we are

	shown() {
		if (!this.is_ready) return;
		this.is_shown = true;
		this.list.refresh();
		const wanted = frappe.get_route()[1];
		if (wanted && wanted !== this.ticket) this.open(wanted, false);
		else this.thread.catch_up();
	}

	hidden() {
		this.is_shown = false;
		this.composer?.keep_draft();
	}

	open(ticket, is_new = true) {
		this.ticket = ticket;
		this.root.classList.add("has-thread");
		if (WIDE.matches && !localStorage.getItem(CLOSED)) this.root.classList.add("has-panel");
		this.composer.root.hidden = false;
		this.composer.open(ticket);
		this.list.mark_active();
		if (is_new) frappe.router.push_state(`/app/khalifa-inbox/${encodeURIComponent(ticket)}`);
		return Promise.all([this.thread.open(ticket), this.panel.open(ticket)]).catch(() => this.back());
	}

	back() {
		this.ticket = null;
		this.root.classList.remove("has-thread", "has-panel");
		this.composer.open(null);
		this.composer.root.hidden = true;
		this.thread.clear();
		this.panel.open(null);
		this.list.mark_active();
		this.list.refresh();
	}

	// What is open here went to somebody else
	left(ticket) {
		if (this.ticket !== ticket) return;
		this.back();
		toast(__("This conversation is with somebody else now."));
	}

	// Where there is room the customer is always beside the thread, unless one has closed it
	toggle_panel(is_open) {
		const shown = this.root.classList.toggle("has-panel", is_open);
		if (WIDE.matches) localStorage.setItem(CLOSED, shown ? "" : "1");
	}

	listen() {
		this.live.listen();
		setInterval(() => this.is_shown && this.list.tick(), 1000);
		document.addEventListener("keydown", (event) => this.key(event));
		document.addEventListener("visibilitychange", () => !document.hidden && this.is_shown && this.thread.catch_up());
	}

	// Keys, when nobody is writing

	key(event) {
		const is_writing = event.target.closest("input, textarea, select, [contenteditable], .modal");
		if (!this.is_shown || is_writing || event.ctrlKey || event.metaKey || event.altKey) return;
		const does = {
			j: () => this.list.move(1), k: () => this.list.move(-1), "/": () => this.list.search.focus(), "?": () => this.dialogs.help(),
			r: () => this.composer.text.focus(), n: () => (this.composer.note_mode(true), this.composer.text.focus()),
			t: () => this.thread.head?.rights.transfer && this.dialogs.transfer(), e: () => this.thread.head?.rights.close && this.dialogs.close(),
		}[event.key];
		if (!does || (!this.ticket && "rnte".includes(event.key))) return;
		event.preventDefault();
		event.stopPropagation();
		does();
	}
}
