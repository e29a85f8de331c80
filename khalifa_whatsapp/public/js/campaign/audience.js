// Who gets the campaign: how customers are chosen, how a list is read, who is left out and why, and what the
// first of them would read.

import { el } from "../inbox/util.js";
import { ask, line, number, recipients_of } from "./drawing.js";

const API = "khalifa_whatsapp.api.campaign_audience";
const CUSTOMER = "Khalifa Customer";

export class AudiencePart {
	constructor(frm) {
		this.frm = frm;
	}

	// `state`: null while nothing is known of it, or the campaign is new
	show(state) {
		const { doc } = this.frm;
		const is_open = !state || (state.status === "Draft" && !state.plan_state);
		const box = el("div", { class: "khalifa-campaign" });
		if (doc.audience_source === "Customers") box.append(this.filters(is_open));
		if (is_open) box.append(this.tools());
		this.preview_box = el("div");
		box.append(this.preview_box);
		this.frm.get_field("audience_html").$wrapper.empty().append(box);
		this.frm.get_field("content_html").$wrapper.empty();
		if (state?.plan_state === "Planned") this.show_skipped();
	}

	tools() {
		const { doc } = this.frm;
		const tools = el("div", { class: "khalifa-campaign-tools" });
		const add = (label, go) =>
			tools.append(
				el("button", { type: "button", class: "btn btn-xs btn-default", onclick: go }, label),
			);
		if (doc.audience_source === "Customers") add(__("Choose Customers"), () => this.choose_customers());
		if (doc.audience_source === "Report") add(__("Choose the Column"), () => this.choose_column());
		if (!this.frm.is_new()) add(__("Show the First Lines"), () => this.preview());
		return tools;
	}

	// Customers

	filters(is_open) {
		const chosen = parsed(this.frm.doc.audience_filters);
		if (!chosen.length)
			return line(
				is_open ? __("All customers, as long as no filter is chosen.") : __("All customers."),
				"gray",
			);
		const box = el("div", { class: "khalifa-campaign-filters" });
		frappe.model.with_doctype(CUSTOMER, () => {
			for (const [, field, condition, value] of chosen.map(whole))
				box.append(el("span", { class: "khalifa-pill", text: said(field, condition, value) }));
		});
		return box;
	}

	choose_customers() {
		const { frm } = this;
		const dialog = new frappe.ui.Dialog({
			title: __("Choose Customers"),
			fields: [
				{ fieldname: "saved", fieldtype: "Select", label: __("Saved Filter"), options: [""] },
				{ fieldname: "area", fieldtype: "HTML" },
			],
			primary_action_label: __("Use"),
			primary_action: () => {
				frm.set_value(
					"audience_filters",
					JSON.stringify(group.get_filters().map((one) => one.slice(0, 4))),
				);
				dialog.hide();
				this.show(null);
			},
		});
		dialog.show();
		let group = null;
		const fill = (filters) => {
			group.clear_filters();
			return group.add_filters_to_filter_group(filters.map(whole));
		};
		frappe.model.with_doctype(CUSTOMER, () => {
			group = new frappe.ui.FilterGroup({
				parent: dialog.get_field("area").$wrapper,
				doctype: CUSTOMER,
				on_change() {},
			});
			fill(parsed(frm.doc.audience_filters));
		});
		saved_filters().then((rows) => {
			const field = dialog.get_field("saved");
			field.df.options = [
				"",
				...rows.map((row) => ({ value: row.name, label: khalifa.as_text(row.filter_name) })),
			];
			field.df.onchange = () => {
				const row = rows.find(({ name }) => name === field.get_value());
				if (row) fill(parsed(row.filters));
			};
			field.refresh();
			dialog.set_df_property("saved", "hidden", rows.length ? 0 : 1);
		});
	}

	// Reports

	choose_column() {
		const { frm } = this;
		const { audience_report: report, audience_report_filters: filters } = frm.doc;
		if (!report) return frappe.show_alert(__("Choose the report first."));
		return ask(`${API}.report_columns`, { report, filters: filters || "" }, "GET").then((columns) => {
			const options = columns.map(({ value, label }) => ({
				value,
				label: khalifa.as_text(label || value),
			}));
			frappe.prompt(
				{
					fieldname: "column",
					fieldtype: "Select",
					label: __("Column of the Phone Number or the Customer"),
					options,
					reqd: 1,
					default: frm.doc.phone_column,
				},
				({ column }) => frm.set_value("phone_column", column),
				__("Choose the Column"),
				__("Use"),
			);
		});
	}

	// The first lines, as a plan reads them

	preview() {
		const { frm } = this;
		const read = () => ask(`${API}.preview`, { campaign: frm.doc.name }, "GET");
		return (frm.is_dirty() ? frm.save().then(read) : read()).then((answer) => this.show_preview(answer));
	}

	show_preview({ rows, values, unknown, total, texts }) {
		const labels = ["#", __("Phone Number"), ...values.map(frappe.utils.escape_html), __("Left Out")];
		const cells = rows.map((row) => [
			row.line,
			{ html: `<bdi dir="ltr">${frappe.utils.escape_html(row.phone || row.given)}</bdi>` },
			...values.map((name) => row.values[name] || ""),
			row.why,
		]);
		const lines = [
			total === null ? null : line(__("{0} lines in all.", [number(total)]), "blue"),
			unknown.length
				? line(__("Nothing fills in {0}.", [unknown.map((name) => `{${name}}`).join(" ")]), "red")
				: null,
			values.length
				? line(__("The text can use {0}.", [values.map((name) => `{${name}}`).join(" ")]), "gray")
				: null,
		];
		this.preview_box.replaceChildren(...lines.filter(Boolean));
		frappe.model.with_doctype("Khalifa Ticket", () => {
			const table = el("div", { class: "khalifa-campaign-table" });
			table.innerHTML = khalifa.table(labels, cells); // escapes what it is given
			this.preview_box.append(table);
		});
		this.show_texts(texts || []);
	}

	// As the first recipient would read it
	show_texts(texts) {
		const bubbles = texts.map(({ variant, text, error }) =>
			el(
				"div",
				{ class: "khalifa-bubble", dir: "auto" },
				texts.length > 1 ? el("b", { text: __("Text {0}", [variant]) }) : null,
				error ? line(error, "red") : el("div", { text }),
			),
		);
		this.frm
			.get_field("content_html")
			.$wrapper.empty()
			.append(...bubbles);
	}

	// Who is left out

	show_skipped() {
		const { name } = this.frm.doc;
		ask(`${API}.skipped`, { campaign: name }, "GET").then((rows) => {
			if (this.frm.doc.name !== name || !rows.length) return;
			const reasons = rows.map(({ reason, count }) => line(`${reason}: ${number(count)}`, "gray"));
			const links = el("div", { class: "khalifa-campaign-tools" });
			const add = (label, href) =>
				links.append(el("a", { class: "btn btn-xs btn-default", href }, label));
			add(__("Show Them"), recipients_of(name, "Skipped"));
			for (const [label, file_type] of [
				[__("Download (Excel)"), "xlsx"],
				[__("Download (CSV)"), "csv"],
			])
				add(
					label,
					`/api/method/${API}.download_skipped?${new URLSearchParams({ campaign: name, file_type })}`,
				);
			this.preview_box.replaceChildren(el("b", { text: __("Left Out") }), ...reasons, links);
		});
	}
}

function saved_filters() {
	return frappe.db.get_list("List Filter", {
		filters: { reference_doctype: CUSTOMER },
		fields: ["name", "filter_name", "filters"],
		order_by: "filter_name asc",
		limit: 100,
	});
}

function parsed(json) {
	try {
		const filters = JSON.parse(json || "[]");
		return Array.isArray(filters)
			? filters
			: Object.entries(filters).map(([field, value]) => [CUSTOMER, field, "=", value]);
	} catch {
		return [];
	}
}

// A filter with its DocType, as the dialog wants it
function whole(filter) {
	return filter.length === 3 ? [CUSTOMER, ...filter] : filter.slice(0, 4);
}

function said(field, condition, value) {
	const df = frappe.meta.get_docfield(CUSTOMER, field);
	return `${__(df?.label || field)} ${__(condition)} ${[].concat(value).join(", ")}`;
}
