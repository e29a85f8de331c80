// Sending a template: which one, with which values and which file, as the customer's phone will show it. One that
// can't be picked says why.

import { phone_preview } from "../desk/phone_preview.js";
import { template_category } from "../desk/template_status.js";
import { filled, fitting } from "./template_text.js";
import { el, read, toast, upload, uuid } from "./util.js";

const ACCEPT = { image: "image/jpeg,image/png", video: "video/mp4,video/3gpp", document: "" };

export function send_template(inbox) {
	const { ticket } = inbox;
	return read("inbox.templates", { ticket })
		.then((templates) => {
			if (inbox.ticket !== ticket) return;
			if (!templates.length)
				return toast(__("There is no approved template for this number. A manager can sync them."));
			new TemplateDialog(inbox, ticket, templates).show();
		})
		.catch((error) => toast(error.text, "red"));
}

class TemplateDialog {
	constructor(inbox, ticket, templates) {
		Object.assign(this, { inbox, ticket, templates, key: uuid(), inputs: [] });
		this.dialog = new frappe.ui.Dialog({
			title: __("Send a Template"),
			size: "large",
			fields: [{ fieldname: "box", fieldtype: "HTML" }],
			primary_action_label: __("Send"),
			primary_action: () => this.send(),
		});
		this.search = el("input", {
			class: "form-control",
			type: "search",
			dir: "auto",
			placeholder: __("Search"),
			"aria-label": __("Search"),
			oninput: () => this.list(),
		});
		this.rows = el("div", { class: "kin-template-rows", role: "listbox", "aria-label": __("Template") });
		this.values = el("div", { class: "kin-template-values" });
		this.shown = el("div", {});
		const box = el(
			"div",
			{ class: "kin-template" },
			el("div", { class: "kin-template-list" }, this.search, this.rows),
			el("div", { class: "kin-template-one" }, this.values, this.shown),
		);
		this.dialog.fields_dict.box.$wrapper[0].append(box);
	}

	show() {
		this.dialog.show();
		this.choose(this.templates.find((one) => !one.why_not) || null);
	}

	list() {
		const rows = fitting(this.templates, this.search.value).map((one) => this.row(one));
		this.rows.replaceChildren(...rows);
		if (!rows.length) this.rows.append(el("div", { class: "kin-muted", text: __("No template fits.") }));
	}

	row(one) {
		return el(
			"button",
			{
				class: `kin-option${one === this.chosen ? " active" : ""}`,
				type: "button",
				role: "option",
				"aria-selected": String(one === this.chosen),
				"aria-disabled": one.why_not ? "true" : null,
				onclick: () => (one.why_not ? toast(one.why_not) : this.choose(one)),
			},
			el("bdi", { class: "kin-name", dir: "ltr", text: one.template_name }),
			" ",
			el("span", { class: "kin-tag", dir: "ltr", text: one.language }),
			el("span", { class: "kin-tag", text: template_category(one.category || "") }),
			one.why_not
				? el("div", { class: "kin-why", text: one.why_not })
				: el("div", { class: "kin-muted", dir: "auto", text: one.body.slice(0, 80) }),
		);
	}

	choose(one) {
		Object.assign(this, { chosen: one, file: null, kept: null });
		this.dialog.get_primary_btn().prop("disabled", !one);
		this.list();
		if (!one) {
			this.values.replaceChildren(el("p", { text: __("No template of this number can be sent now.") }));
			return this.shown.replaceChildren();
		}
		this.inputs = one.variables.map((variable) => this.input(variable));
		this.values.replaceChildren(...this.inputs.map(labelled), ...this.file_input());
		this.preview();
	}

	input(variable) {
		return el("input", {
			class: "form-control",
			placeholder: variable.kind === "date" ? "31/12/2026" : "",
			inputmode: variable.kind === "number" ? "decimal" : null,
			"aria-label": label(variable),
			dir: "auto",
			oninput: () => this.preview(),
		});
	}

	file_input() {
		if (!ACCEPT_KINDS.includes(this.chosen.header_kind)) return [];
		const input = el("input", {
			type: "file",
			class: "form-control",
			accept: ACCEPT[this.chosen.header_kind],
			"aria-label": __("File"),
			onchange: () => {
				Object.assign(this, { file: input.files[0] || null, kept: null });
				this.preview();
			},
		});
		const text = this.chosen.needs_file ? __("File of the header") : __("Another file for the header");
		return [el("label", {}, el("span", { text }), input)];
	}

	preview() {
		URL.revokeObjectURL(this.url);
		this.url = this.file ? URL.createObjectURL(this.file) : "";
		const one = this.chosen;
		const texts = filled(
			one,
			this.inputs.map((input) => input.value),
		);
		this.shown.replaceChildren(
			phone_preview({
				...one,
				...texts,
				header_file: this.url || one.header_file,
			}),
		);
	}

	send() {
		const one = this.chosen;
		if (one.needs_file && !this.file) return toast(__("Choose the file of the header first."), "red");
		this.dialog.get_primary_btn().prop("disabled", true);
		return this.uploaded()
			.then((kept) =>
				this.inbox.dialogs.done(this.dialog, "conversation.send_template", {
					ticket: this.ticket,
					template: one.name,
					values: JSON.stringify(this.inputs.map((input) => input.value)),
					client_key: this.key,
					file_url: kept?.file_url || "",
				}),
			)
			.catch((error) => {
				toast(error.text, "red");
				this.dialog.get_primary_btn().prop("disabled", false);
			});
	}

	uploaded() {
		if (!this.file || this.kept) return Promise.resolve(this.kept);
		const form = new FormData();
		form.append("ticket", this.ticket);
		form.append("file", this.file, this.file.name);
		return upload("media.upload", form, this.file.size).then((kept) => (this.kept = kept));
	}
}

const ACCEPT_KINDS = Object.keys(ACCEPT);

function labelled(input) {
	return el("label", {}, el("span", { text: input.getAttribute("aria-label") }), input);
}

function label({ place, name }) {
	const where = { header: __("Header"), body: __("Text") }[place] || __("Button {0}", [Number(place) + 1]);
	return khalifa.as_text(`${where}: ${name}`);
}
