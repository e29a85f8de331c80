frappe.provide("khalifa.auto_replies");

frappe.listview_settings["Khalifa Auto Reply"] = {
	add_fields: ["enabled", "kind"],
	hide_name_column: true,
	get_indicator(doc) {
		return doc.enabled
			? [__("Enabled"), "green", "enabled,=,1"]
			: [__("Disabled"), "gray", "enabled,=,0"];
	},
	onload(list) {
		list.page.add_inner_button(__("Try a Text"), () => khalifa.auto_replies.ask());
	},
};

// What would answer this text, and why not the others? The form asks it too: Frappe loads this file for both
khalifa.auto_replies.ask = (given = {}) => {
	const dialog = new frappe.ui.Dialog({
		title: __("What Would Answer?"),
		size: "large",
		fields: [
			{
				fieldname: "text",
				fieldtype: "Small Text",
				label: __("What the Customer Writes"),
				reqd: 1,
			},
			{ fieldname: "who", fieldtype: "Section Break" },
			{
				fieldname: "customer",
				fieldtype: "Link",
				options: "Khalifa Customer",
				label: __("Customer"),
				description: __("Empty: somebody new."),
			},
			{ fieldname: "where", fieldtype: "Column Break" },
			{
				fieldname: "device",
				fieldtype: "Link",
				options: "WhatsApp Device",
				label: __("Device"),
				default: given.device,
			},
			{ fieldname: "place", fieldtype: "Column Break" },
			{
				fieldname: "branch",
				fieldtype: "Link",
				options: "Khalifa Branch",
				label: __("Branch"),
				default: given.branch,
			},
			{ fieldname: "result_section", fieldtype: "Section Break" },
			{ fieldname: "result", fieldtype: "HTML" },
		],
		primary_action_label: __("Try"),
		primary_action: (values) =>
			frappe
				.xcall("khalifa_whatsapp.api.auto_replies.try_text", values)
				.then((trial) =>
					dialog.fields_dict.result.$wrapper
						.empty()
						.append(khalifa.auto_replies.shown(trial, given.rule)),
				),
	});
	dialog.show();
};

khalifa.auto_replies.shown = (trial, rule) => {
	const { note, bubble, row } = khalifa.auto_replies;
	const box = $("<div></div>");
	if (trial.is_stopped)
		box.append(
			note("red", __("Automatic replies have stopped in this conversation until a person answers.")),
		);
	else if (trial.text) box.append(note("green", __("The customer would read:")), bubble(trial.text));
	else box.append(note("gray", __("Nothing would answer.")));
	const table = $('<table class="table table-sm" style="margin-top: var(--margin-md)"></table>');
	for (const one of trial.rules) table.append(row(one, one.name === rule));
	return box.append(table);
};

khalifa.auto_replies.row = (one, is_marked) => {
	const link = $("<a></a>")
		.attr("href", frappe.utils.get_form_link("Khalifa Auto Reply", one.name))
		.append($("<bdi></bdi>").text(one.name));
	if (is_marked) link.css("font-weight", "bold");
	const verdict = khalifa.auto_replies.note(
		one.answers ? "green" : "gray",
		one.answers ? __("It answers.") : one.reason,
	);
	return $("<tr></tr>").append(
		$("<td></td>").append(link),
		$("<td></td>").text(__(one.kind)),
		$("<td></td>").append(verdict),
	);
};

khalifa.auto_replies.note = (colour, text) => {
	return $("<div></div>").append(
		$('<span class="indicator"></span>').addClass(colour),
		$("<span></span>").text(text),
	);
};

khalifa.auto_replies.bubble = (text) => {
	return $('<div dir="auto"></div>').text(text).css({
		"white-space": "pre-wrap",
		background: "var(--control-bg)",
		"border-radius": "var(--border-radius-lg)",
		padding: "var(--padding-sm) var(--padding-md)",
		"margin-top": "var(--margin-xs)",
	});
};
