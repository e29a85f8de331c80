// The page: list, thread, customer, and what keys do. The address says what is open; Back leads to what was
// before.

import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { Dialogs } from "./dialogs.js";
import { pressed } from "./keys.js";
import { ConversationList } from "./list.js";
import { Live } from "./live.js";
import { failure, missing } from "./notices.js";
import { Panel } from "./panel.js";
import { Thread } from "./thread.js";
import { el, read, times, toast } from "./util.js";

const WIDE = window.matchMedia("(min-width: 1200px)");
const PHONE = window.matchMedia("(max-width: 767px)");
const CLOSED = "khalifa_panel_closed";
const OF_A_TICKET = "rntqexup"; // keys that mean the open conversation

export class Inbox {
	constructor(wrapper) {
		this.wrapper = wrapper;
		this.depth = 0; // how many steps back the list is, as far as we know
		this.page = frappe.ui.make_app_page({
			parent: wrapper,
			title: __("WhatsApp Inbox"),
			single_column: true,
		});
		this.wrapper.classList.add("khalifa-inbox-page");
	}

	start() {
		return read("inbox.boot").then(
			(boot) =>
				boot.missing ? this.fill(missing(boot.missing, () => this.start())) : this.begin(boot),
			(error) => this.fill(failure(error, () => this.start())),
		);
	}

	begin(boot) {
		const { me, branches, close_reasons, settings } = boot;
		Object.assign(this, { me, branches, close_reasons, settings });
		times.now = () => this.now();
		this.clock(boot.now_ms);
		this.make();
		const [page, wanted] = frappe.get_route();
		if (this.list.has(wanted)) this.list.view = wanted;
		this.list.show_tabs({});
		if (!this.is_ready) this.listen();
		khalifa.desk.connection.resume();
		this.is_ready = true;
		this.is_shown = page === "khalifa-inbox"; // unless somebody has gone on meanwhile
		if (!this.is_shown) return null;
		this.follow();
		return this.list.load();
	}

	fill(...nodes) {
		this.page.main[0].replaceChildren(...nodes);
	}

	make() {
		this.list = new ConversationList(this);
		this.thread = new Thread(this);
		this.dialogs = new Dialogs(this);
		this.composer = new Composer(this);
		this.panel = new Panel(this);
		this.live ||= new Live(this);
		this.banner = new Banner(this);
		this.thread.root.append(this.composer.root);
		this.root = el("div", { class: "khalifa-inbox" }, this.list.root, this.thread.root, this.panel.root);
		this.fill(el("div", { class: "kin-frame" }, this.banner.root, this.root));
		this.thread.clear();
		this.composer.root.hidden = true;
		this.add_page_buttons();
	}

	add_page_buttons() {
		this.page.clear_inner_toolbar();
		this.page.clear_menu();
		this.connection_notice ||= $('<span class="kin-socket indicator-pill"></span>').appendTo(
			this.page.page_actions,
		);
		if (this.me.agent) {
			const choose = (presence) =>
				khalifa.desk.standing.set(presence).catch((error) => toast(error.text, "red"));
			for (const [value, label] of [
				["Online", __("Online")],
				["Away", __("Away")],
				["Offline", __("Offline")],
			]) {
				this.page.add_inner_button(label, () => choose(value), __("I Am"));
			}
			khalifa.desk.standing.now ||= { presence: this.me.availability };
		}
		if (this.me.agent) {
			const begin = () => this.dialogs.first_contact();
			this.page.set_primary_action(__("New Conversation"), begin, "add");
			this.page.add_menu_item(__("New Conversation"), begin);
		}
		if (this.me.may_become_agent)
			this.page.add_menu_item(__("Answer Customers Myself"), () => this.dialogs.become_agent());
		this.page.add_menu_item(__("Notify Me of New Messages"), () => khalifa.desk.notifier.wish());
		this.page.add_menu_item(__("Keys"), () => this.dialogs.help());
		this.show_standing();
	}

	show_standing() {
		if (!this.me?.agent) return;
		const { presence } = khalifa.desk.standing.now || {};
		const colours = { Online: "green", Away: "orange", Offline: "gray" };
		this.page.set_indicator(__(presence || "Offline"), colours[presence] || "gray");
		this.banner.show();
	}

	// Time: the server's clock, so that a wrong one here bends no waiting time

	clock(now_ms) {
		this.offset = now_ms - Date.now();
	}

	now() {
		return Date.now() + (this.offset || 0);
	}

	// Where we are

	shown() {
		const is_back = !this.is_shown;
		this.is_shown = true;
		if (!this.is_ready) return;
		this.follow();
		if (!is_back) return;
		this.list.refresh();
		this.thread.catch_up();
	}

	hidden() {
		this.is_shown = false;
		this.composer?.keep_draft();
	}

	// Show what the address says: a conversation, or one of the lists
	follow() {
		const wanted = frappe.get_route()[1] || "";
		const is_list = !wanted || this.list.has(wanted);
		if (wanted && is_list && wanted !== this.list.view) this.list.choose(wanted);
		if (PHONE.matches && !history.state?.khalifa_panel && this.root.classList.contains("has-panel")) {
			this.root.classList.remove("has-panel");
			this.depth -= 1;
		}
		if (is_list ? !this.ticket : wanted === this.ticket) return;
		this.depth = 0;
		if (is_list) this.close();
		else this.show(wanted);
	}

	// Gives a promise that is kept when the thread is there
	open(ticket) {
		if (ticket === this.ticket) return Promise.resolve();
		this.depth = this.ticket && !this.depth ? 0 : this.depth + 1;
		const opened = this.show(ticket);
		frappe.router.push_state(`/app/khalifa-inbox/${encodeURIComponent(ticket)}`);
		return opened;
	}

	show(ticket) {
		this.ticket = ticket;
		this.root.classList.add("has-thread");
		this.root.classList.toggle("has-panel", WIDE.matches && !localStorage.getItem(CLOSED));
		this.composer.root.hidden = false;
		this.thread.head = null; // what could be done in the one before
		this.composer.open(ticket);
		this.list.mark_active();
		return this.thread.open(ticket);
	}

	close() {
		this.ticket = null;
		this.root.classList.remove("has-thread", "has-panel");
		this.composer.open(null);
		this.composer.root.hidden = true;
		this.thread.clear();
		this.panel.clear();
		this.list.mark_active();
	}

	// The button: as the browser's own, where that leads to the list
	back() {
		if (this.depth > 0) return history.go(-this.depth);
		this.close();
		this.list.show_address();
	}

	// Another address for what is open, without a step to go back
	replace_address(address) {
		if (!this.is_ready || location.pathname === address) return;
		frappe.route_flags.replace_route = true;
		frappe.router.push_state(address);
		frappe.route_flags = {};
	}

	// What is open here went to somebody else
	left(ticket, text = __("This conversation is with somebody else now.")) {
		if (this.ticket !== ticket) return;
		this.close();
		this.list.show_address();
		toast(text);
	}

	// Where there is room the customer is always beside the thread, unless one has closed it. On a phone Back
	// closes it
	toggle_panel(is_open) {
		const shown = this.root.classList.toggle("has-panel", is_open);
		if (WIDE.matches) localStorage.setItem(CLOSED, shown ? "" : "1");
		if (!PHONE.matches) return;
		if (shown) {
			history.pushState({ khalifa_panel: true }, null, location.pathname);
			this.depth += 1;
		} else if (history.state?.khalifa_panel) {
			this.root.classList.add("has-panel"); // the step back takes it away
			history.back();
		}
	}

	listen() {
		this.live.listen();
		khalifa.desk.join({
			is_shown: () => this.is_shown,
			connection_changed: () => this.live.connection_changed(),
			standing_changed: () =>
				khalifa.desk.connection.is_stopped ? this.start() : this.show_standing(),
		});
		setInterval(() => this.is_shown && this.list.tick(), 1000);
		document.addEventListener("keydown", (event) => this.key(event));
		document.addEventListener(
			"visibilitychange",
			() => !document.hidden && this.is_shown && this.thread.catch_up(),
		);
		window.addEventListener(
			"online",
			() => this.is_shown && (this.list.refresh(), this.thread.catch_up()),
		);
	}

	// Keys, when nobody is writing

	key(event) {
		const is_writing =
			event.target.closest("input, textarea, select, [contenteditable], .modal") ||
			window.cur_dialog?.display;
		if (!this.is_shown || is_writing || event.ctrlKey || event.metaKey || event.altKey) return;
		const key = pressed(event);
		const does = {
			j: () => this.list.move(1),
			k: () => this.list.move(-1),
			"/": () => this.list.search.focus(),
			"?": () => this.dialogs.help(),
			r: () => this.composer.write("reply"),
			n: () => this.composer.write("note"),
			q: () => this.composer.pick(),
			t: () => this.thread.head?.rights.transfer && this.dialogs.transfer(),
			e: () => this.thread.head?.rights.close && this.dialogs.close(),
			x: () => this.list.tick_current(),
			u: () => this.list.mark_unread(this.ticket),
			p: () => this.list.pin(this.ticket),
		}[key];
		if (!does || (!this.ticket && OF_A_TICKET.includes(key))) return;
		event.preventDefault();
		event.stopPropagation();
		does();
	}
}
