// The customer beside the thread: numbers, tags, notes, earlier conversations, what the books say.

import { promotions } from "./care.js";
import { attempt, avatar, day, el, toast } from "./util.js";

export class Panel {
	constructor(inbox) {
		this.inbox = inbox;
		this.root = el("aside", { class: "kin-panel", "aria-label": __("Customer") });
	}

	clear() {
		this.root.replaceChildren();
	}

	// What came with the thread
	show(ticket, customer) {
		this.ticket = ticket;
		this.draw(customer);
	}

	draw(customer) {
		const phones = customer.phones.map((phone) =>
			el("div", { class: "kin-phone", dir: "ltr", text: phone }),
		);
		const former = (customer.former_phones || []).map((phone) =>
			el(
				"div",
				{ class: "kin-muted kin-former" },
				el("s", { dir: "ltr", text: phone }),
				" ",
				__("given up"),
			),
		);
		const names = customer.identities.map((one) =>
			el("div", { class: "kin-muted", dir: "ltr", text: `${one.kind}: ${one.value}` }),
		);
		this.root.replaceChildren(
			el(
				"button",
				{
					class: "btn btn-sm kin-panel-close",
					"aria-label": __("Close"),
					onclick: () => this.inbox.toggle_panel(false),
				},
				"✕",
			),
			el(
				"div",
				{ class: "kin-panel-who" },
				avatar(customer.name),
				el("bdi", { class: "kin-name", text: customer.name || "" }),
				...phones,
				...former,
				...names,
			),
			section(__("Promotions"), promotions(this, customer)),
			section(__("Tags"), this.tags(customer.tags)),
			section(__("Notes"), this.notes(customer.notes)),
			customer.erpnext ? section(__("Account"), books(customer.erpnext)) : "",
			section(__("Earlier Conversations"), this.earlier(customer.tickets)),
		);
	}

	tags(tags) {
		const box = el("div", { class: "kin-tags" });
		const draw = (list) => {
			const input = el("input", {
				class: "form-control input-xs",
				placeholder: __("Add a tag"),
				"aria-label": __("Add a tag"),
				onkeydown: (event) => event.key === "Enter" && change("inbox.add_tag", input.value),
			});
			box.replaceChildren(
				...list.map((tag) =>
					el(
						"span",
						{ class: "kin-tag" },
						el("bdi", { text: tag }),
						el(
							"button",
							{
								"aria-label": __("Remove {0}", [tag]),
								onclick: () => change("inbox.remove_tag", tag),
							},
							"✕",
						),
					),
				),
				input,
			);
		};
		const change = (method, tag) =>
			tag.trim() &&
			attempt(method, { ticket: this.ticket, tag })
				.then((done) => draw(done.tags))
				.catch((error) => toast(error.text, "red"));
		draw(tags);
		return box;
	}

	notes(notes) {
		const text = el("textarea", {
			class: "form-control",
			rows: "4",
			dir: "auto",
			"aria-label": __("Notes"),
		});
		text.value = notes;
		text.addEventListener("change", () =>
			attempt("inbox.save_customer_notes", { ticket: this.ticket, notes: text.value })
				.then(() => toast(__("Saved"), "green"))
				.catch((error) => toast(error.text, "red")),
		);
		return text;
	}

	earlier(tickets) {
		if (!tickets.length) return el("div", { class: "kin-muted", text: __("None that you may see.") });
		return el(
			"div",
			{},
			...tickets.map((row) =>
				el(
					"button",
					{ class: "kin-earlier", onclick: () => this.inbox.open(row.ticket) },
					el(
						"div",
						{},
						el("bdi", { text: row.agent_name || row.ticket }),
						" · ",
						day(row.opened_ms),
					),
					el("bdi", { class: "kin-muted", text: row.preview || "" }),
				),
			),
		);
	}
}

function section(title, content) {
	return el("section", {}, el("h6", { text: title }), content);
}

// A name opens the document, as far as its reader may
function books(account) {
	const balances = (account.balances || []).map((row) =>
		el(
			"div",
			{ class: "kin-balance" },
			el("span", { class: "kin-muted", text: __("Balance") }),
			money(row.amount, row.currency),
			account.balances.length > 1 ? el("bdi", { class: "kin-muted", text: row.company }) : "",
		),
	);
	const invoices = (account.invoices || []).map((row) =>
		el(
			"tr",
			{},
			el(
				"td",
				{},
				link("Sales Invoice", row.name, row.name),
				el("div", { class: "kin-muted", text: frappe.datetime.str_to_user(row.posting_date) }),
			),
			el(
				"td",
				{ class: "kin-amount" },
				money(row.grand_total, row.currency),
				el("div", { class: "kin-muted", text: __(row.status) }),
			),
		),
	);
	return el(
		"div",
		{ class: "kin-books" },
		link("Customer", account.customer, account.customer_name),
		...balances,
		invoices.length ? el("table", { class: "table table-sm" }, el("tbody", {}, ...invoices)) : "",
	);
}

// With the currency's code: its sign may be of either direction, and would carry the minus to the other side
function money(amount, currency) {
	const form = get_number_format(currency);
	return el("bdi", {
		dir: "ltr",
		text: `${format_number(amount, form, get_number_format_info(form).precision)} ${currency}`,
	});
}

function link(doctype, name, text) {
	return el("a", { href: frappe.utils.get_form_link(doctype, name) }, el("bdi", { text }));
}
