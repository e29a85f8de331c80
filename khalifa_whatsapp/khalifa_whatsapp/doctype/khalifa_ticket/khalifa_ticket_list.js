// Frappe runs this file with the DocType's meta, so forms find here what they share with the list.
frappe.provide("khalifa");

khalifa.is_manager = () => frappe.user.has_role(["WhatsApp Manager", "System Manager"]);

// How waits stand, by ticket: "Late Soon" or "Delayed", as the server says. Filled after each refresh of the
// list.
khalifa.ticket_states = {};

khalifa.ticket_indicator = (doc, state) => {
	if (doc.status === "Closed") {
		return doc.is_missed
			? [__("Missed"), "gray", "is_missed,=,1"]
			: [__("Closed"), "gray", "status,=,Closed"];
	}
	if (state === "Delayed") return [__("Delayed"), "red", `status,=,${doc.status}`];
	if (state === "Late Soon") return [__("Soon Late"), "orange", `status,=,${doc.status}`];
	const colour = { Queued: "purple", Open: "blue", Pending: "green" }[doc.status];
	return [__(doc.status), colour || "gray", `status,=,${doc.status}`];
};

frappe.listview_settings["Khalifa Ticket"] = {
	add_fields: ["status", "waiting_since", "waiting_since_ms", "is_missed", "agent_name"],
	hide_name_column: true,
	get_indicator: (doc) => khalifa.ticket_indicator(doc, khalifa.ticket_states[doc.name]),
	formatters: {
		waiting_since: (value) => (value ? frappe.datetime.comment_when(value, true) : ""),
		agent_name: (value) =>
			frappe.utils.escape_html(value || "") || `<span class="text-muted">${__("Queue")}</span>`,
	},
	onload(listview) {
		if (khalifa.is_manager()) {
			listview.page.add_inner_button(
				__("Close All Open Tickets"),
				() => new khalifa.CloseAll(listview),
			);
			listview.page.add_actions_menu_item(__("Transfer"), () => khalifa.reassign(listview), false);
		}
		const refresh = frappe.utils.debounce(() => !document.hidden && listview.refresh(), 3000);
		frappe.realtime.on("khalifa_whatsapp:ticket", () => cur_list === listview && refresh());
		setInterval(() => cur_list === listview && !document.hidden && khalifa.mark_waits(listview), 60000);
	},
	refresh: (listview) => khalifa.mark_waits(listview),
};

khalifa.mark_waits = (listview) => {
	const names = listview.data.filter((doc) => doc.waiting_since_ms).map((doc) => doc.name);
	if (!names.length) return;
	frappe.xcall("khalifa_whatsapp.api.desk.waiting_states", { tickets: names }).then((states) => {
		if (names.every((name) => states[name] === khalifa.ticket_states[name])) return;
		names.forEach((name) => (khalifa.ticket_states[name] = states[name]));
		listview.render_list();
		listview.set_rows_as_checked();
	});
};

// A table of plain texts: every cell is escaped
khalifa.table = (labels, rows) => {
	const cell = (text) =>
		`<td>${text && text.html ? text.html : frappe.utils.escape_html(String(text ?? ""))}</td>`;
	return `<div class="table-responsive"><table class="table table-bordered table-sm mb-0">
		<thead><tr>${labels.map((label) => `<th>${label}</th>`).join("")}</tr></thead>
		<tbody>${rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("")}</tbody></table></div>`;
};

// Assignments and shares of our records are refused: a ticket is handed on instead
khalifa.hide_sharing = (frm) => frm.page.sidebar.find(".form-assignments, .form-shared").hide();

khalifa.ticket_link = (name, text) => ({
	html: `<a href="/app/khalifa-ticket/${encodeURIComponent(name)}">${frappe.utils.escape_html(text || name)}</a>`,
});

khalifa.progress = (share) =>
	`<div class="progress mb-3"><div class="progress-bar" role="progressbar" style="width: ${Math.round(100 * share)}%"
		aria-valuenow="${Math.round(100 * share)}" aria-valuemin="0" aria-valuemax="100"></div></div>`;

/* «Close all»: what the list shows now, its count, a reason; then progress, what was skipped and why, and undo. */
khalifa.CloseAll = class {
	static FIELDS = ["branch", "agent", "device", "status"];

	constructor(listview) {
		this.listview = listview;
		this.choose().then((chosen) => chosen && this.ask(chosen));
	}

	// The list's filters as the server takes them; where it knows no such filter, the tickets by name
	choose() {
		const filters = this.listview.get_filters_for_args();
		const checked = this.listview.get_checked_items(true);
		if (checked.length) return Promise.resolve({ names: checked });
		const is_simple = ([, field, operator, value]) =>
			operator === "=" && this.constructor.FIELDS.includes(field) && value;
		if (filters.every(is_simple)) {
			return Promise.resolve(Object.fromEntries(filters.map(([, field, , value]) => [field, value])));
		}
		const open = [...filters, ["Khalifa Ticket", "status", "!=", "Closed"]];
		return frappe.db
			.get_list("Khalifa Ticket", { filters: open, pluck: "name", limit: 0 })
			.then((names) => {
				if (names.length) return { names };
				frappe.msgprint(__("No open ticket matches the list's filters."));
			});
	}

	ask(chosen) {
		frappe.xcall("khalifa_whatsapp.api.conversation.count_open", chosen).then(({ count }) => {
			if (!count) return frappe.msgprint(__("No open ticket matches the list's filters."));
			const dialog = new frappe.ui.Dialog({
				title: __("Close All Open Tickets"),
				fields: [
					{ fieldtype: "HTML", fieldname: "what", options: this.describe(count) },
					{ fieldtype: "Data", fieldname: "reason", label: __("Reason"), reqd: 1, length: 140 },
				],
				primary_action_label: __("Close {0} Tickets", [count]),
				primary_action: ({ reason }) => {
					dialog.hide();
					this.start(chosen, reason);
				},
			});
			dialog.show();
		});
	}

	describe(count) {
		const operators = { "=": "", "!=": __("is not"), like: __("contains") };
		const shown = this.listview.filter_area.get().map(([, field, operator, value]) => {
			const label = __(frappe.meta.get_label("Khalifa Ticket", field));
			return `<li>${label} ${operators[operator] ?? frappe.utils.escape_html(operator)} <b>${frappe.utils.escape_html(
				field === "status" ? __(value) : String(value),
			)}</b></li>`;
		});
		const filters = shown.length
			? `<p>${__("Only those that the list shows:")}</p><ul>${shown.join("")}</ul>`
			: "";
		return `<p>${__("Open tickets that will be closed: {0}.", [`<b>${count}</b>`])}
			${__("Customers are told nothing, and nobody gets credit or blame. You can undo it.")}</p>${filters}`;
	}

	start(chosen, reason) {
		frappe
			.xcall("khalifa_whatsapp.api.conversation.close_all_start", { ...chosen, reason })
			.then((batch) => this.watch(batch.name));
	}

	watch(batch) {
		this.batch = batch;
		this.dialog = new frappe.ui.Dialog({
			title: __("Close All Open Tickets"),
			fields: [{ fieldtype: "HTML", fieldname: "state" }],
			on_hide: () => this.stop(),
		});
		this.dialog.show();
		this.is_watched = true; // the dialog's own word for it comes only when it has faded in
		this.on_news = (news) => news.batch === batch && this.show(news);
		frappe.realtime.on("khalifa_whatsapp:close_all", this.on_news);
		this.poll();
	}

	// Realtime may be down: ask every two seconds as well. The network may be too: the next question finds it
	// again
	poll() {
		const ask = khalifa.attempt("conversation.close_all_status", { batch: this.batch }, "GET");
		ask.then((state) => this.show(state))
			.catch(() => {})
			.then(() => {
				const is_over = ["Done", "Undone"].includes(this.status);
				if (!is_over && this.is_watched) this.timer = setTimeout(() => this.poll(), 2000);
			});
	}

	stop() {
		this.is_watched = false;
		clearTimeout(this.timer);
		frappe.realtime.off("khalifa_whatsapp:close_all", this.on_news);
		this.listview.clear_checked_items && this.listview.clear_checked_items();
		this.listview.refresh();
	}

	show(state) {
		const is_over = ["Done", "Undone"].includes(state.status);
		// published twice: what was left alone is listed already
		if (is_over && this.status === state.status) return;
		this.status = state.status;
		const done = state.status.startsWith("Undo") ? state.undone : state.closed + state.skipped;
		const total = state.status.startsWith("Undo") ? state.closed : state.total;
		const status_text = {
			Running: __("Closing: {0} of {1}", [done, total]),
			Done: __("Closed: {0}. Left as they are: {1}.", [state.closed, state.skipped]),
			Undoing: __("Reopening: {0} of {1}", [done, total]),
			Undone: __("Reopened: {0}.", [state.undone]),
		}[state.status];
		const html = `${khalifa.progress(is_over ? 1 : total ? done / total : 0)}<p>${status_text}</p><div class="left-alone"></div>`;
		this.dialog.get_field("state").$wrapper.html(html);
		if (is_over) this.finish(state);
	}

	finish(state) {
		const result = state.status === "Done" ? "Skipped" : "Kept";
		if (state.status === "Done" && state.closed) {
			this.dialog.set_primary_action(__("Undo"), () => this.undo());
		} else {
			this.dialog.set_primary_action(__("Done"), () => this.dialog.hide());
		}
		frappe
			.xcall("khalifa_whatsapp.api.desk.batch_items", { batch: this.batch, result })
			.then(({ rows, total }) => total && this.list(rows, total));
	}

	list(rows, total) {
		const cells = rows.map((row) => [
			khalifa.ticket_link(row.ticket, row.customer_name),
			row.agent_name || "",
			__(row.why),
		]);
		const more =
			total > rows.length ? `<p class="text-muted">${__("{0} more", [total - rows.length])}</p>` : "";
		const table = khalifa.table([__("Customer"), __("Agent"), __("Why")], cells);
		this.dialog.$wrapper.find(".left-alone").html(table + more);
	}

	undo() {
		frappe
			.xcall("khalifa_whatsapp.api.conversation.close_all_undo", { batch: this.batch })
			.then((state) => {
				this.show(state);
				this.poll();
			});
	}
};

/* Hand the checked tickets to an agent or to a branch, and show what came of each. */
khalifa.reassign = (listview) => {
	const tickets = listview.get_checked_items(true);
	if (!tickets.length) return;
	khalifa.ask_receiver({
		title: __("Transfer {0} Tickets", [tickets.length]),
		with_load: true,
		then: (values) =>
			frappe
				.xcall("khalifa_whatsapp.api.bulk.reassign", { tickets, ...values })
				.then((state) => khalifa.watch_reassign(listview, state)),
	});
};

khalifa.watch_reassign = (listview, state) => {
	const titles = Object.fromEntries(listview.data.map((doc) => [doc.name, doc.customer_name]));
	const dialog = new frappe.ui.Dialog({
		title: __("Transfer"),
		fields: [{ fieldtype: "HTML", fieldname: "state" }],
	});
	const show = (now) => {
		const failed = now.results.filter((row) => !row.is_done);
		const status_text = {
			Running: __("Transferring: {0} of {1}", [now.done, now.total]),
			Done: __("Transferred: {0}. Not transferred: {1}.", [
				now.results.length - failed.length,
				failed.length,
			]),
			Failed: __("The database was away. The list shows what was transferred."),
		}[now.status];
		const rows = now.results.map((row) => [
			khalifa.ticket_link(row.ticket, titles[row.ticket]),
			row.is_done ? __("Transferred") : row.why,
		]);
		const table = rows.length ? khalifa.table([__("Customer"), __("Result")], rows) : "";
		const share = now.status === "Running" ? now.done / now.total : 1;
		dialog.get_field("state").$wrapper.html(`${khalifa.progress(share)}<p>${status_text}</p>${table}`);
		if (now.status === "Running") setTimeout(ask, 1500);
		else listview.refresh();
	};
	// no network: the next question may find it
	const again = (error) => error.is_unknown && setTimeout(ask, 3000);
	const ask = () => khalifa.attempt("bulk.reassign_status", { run: state.run }, "GET").then(show, again);
	dialog.show();
	show(state);
	listview.clear_checked_items();
};

/* Who takes it? An agent who is there, or a branch; and why. `then` gets {to_agent | to_branch, reason}. */
khalifa.ask_receiver = ({ title, then, with_load = false }) => {
	Promise.all([
		frappe.xcall("khalifa_whatsapp.api.desk.receivers"),
		with_load ? frappe.xcall("khalifa_whatsapp.api.desk.agent_loads") : Promise.resolve([]),
	]).then(([{ agents, branches }, loads]) => {
		const load = Object.fromEntries(loads.map((row) => [row.agent, `${row.load}/${row.capacity}`]));
		const options = agents.map((agent) => ({
			value: agent.name,
			label: khalifa.as_text(
				[agent.employee_name, agent.branch, __(agent.presence), load[agent.name]]
					.filter(Boolean)
					.join(" · "),
			),
		}));
		const dialog = new frappe.ui.Dialog({
			title,
			fields: [
				{
					fieldname: "to",
					fieldtype: "Select",
					label: __("To"),
					reqd: 1,
					default: "agent",
					options: [
						{ value: "agent", label: __("Agent") },
						{ value: "branch", label: __("Branch") },
					],
				},
				{
					fieldname: "to_agent",
					fieldtype: "Autocomplete",
					label: __("Agent"),
					options,
					depends_on: "eval:doc.to === 'agent'",
					mandatory_depends_on: "eval:doc.to === 'agent'",
					description: options.length ? "" : __("Nobody is online now."),
				},
				{
					fieldname: "to_branch",
					fieldtype: "Autocomplete",
					label: __("Branch"),
					options: branches.map((value) => ({ value, label: khalifa.as_text(value) })),
					depends_on: "eval:doc.to === 'branch'",
					mandatory_depends_on: "eval:doc.to === 'branch'",
				},
				{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
			],
			primary_action_label: title,
			primary_action: ({ to, to_agent, to_branch, reason }) => {
				dialog.hide();
				then(to === "agent" ? { to_agent, reason } : { to_branch, reason });
			},
		});
		dialog.show();
	});
};
