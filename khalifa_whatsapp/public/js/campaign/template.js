// What stands in the places of a campaign's template: asked for one by one, kept as JSON.

import { el } from "../inbox/util.js";
import { ask, line } from "./drawing.js";

const API = "khalifa_whatsapp.api.campaign_template";

export function ask_places(frm) {
	const { template } = frm.doc;
	if (!template) return frappe.show_alert(__("Choose the template of the campaign first."));
	return ask(`${API}.places`, { template }, "GET").then(({ text, places }) => {
		if (!places.length) return frappe.show_alert(__("This template has no places to fill in."));
		const given = parsed(frm.doc.template_parameters);
		// Names of places may hold dots and digits, which no field may be called
		const fields = places.map((place, index) => ({
			fieldname: `place_${index}`,
			fieldtype: "Data",
			label: khalifa.as_text(`{{${place}}}`),
			default: given[place] || "",
			reqd: 1,
		}));
		const dialog = new frappe.ui.Dialog({
			title: __("Fill In the Template"),
			fields: [{ fieldname: "said", fieldtype: "HTML" }, ...fields],
			primary_action_label: __("Use"),
			primary_action(values) {
				const kept = Object.fromEntries(
					places.map((place, index) => [place, values[`place_${index}`]]),
				);
				frm.set_value("template_parameters", JSON.stringify(kept));
				dialog.hide();
			},
		});
		dialog
			.get_field("said")
			.$wrapper.append(
				el("div", { class: "khalifa-bubble", dir: "auto", text }),
				line(__("Write a text, or the name of a column in braces, such as {customer}."), "gray"),
			);
		dialog.show();
		return dialog;
	});
}

function parsed(json) {
	try {
		return JSON.parse(json || "{}") || {};
	} catch {
		return {};
	}
}
