frappe.provide("khalifa");

frappe.ui.form.on("Khalifa Customer", {
	refresh(frm) {
		if (frm.is_new()) return;
		frm.get_field("phone").$wrapper.find(".control-value").attr("dir", "ltr").css("text-align", "start");
		frappe.model.with_doctype("Khalifa Ticket", () => {
			khalifa.hide_sharing(frm);
			khalifa.show_customer(frm);
		});
		if (!frappe.user.has_role(["WhatsApp Manager", "System Manager"]) || frm.doc.merged_into) return;
		frm.add_custom_button(__("Merge into Another Customer"), () => khalifa.ask_merge(frm));
	},
});

khalifa.show_customer = (frm) => {
	frappe
		.xcall("khalifa_whatsapp.api.desk.customer_form", { customer: frm.doc.name })
		.then(({ tickets, identities, duplicate }) => {
			const when = (value) => (value ? frappe.datetime.str_to_user(value) : "");
			const rows = tickets.map((row) => [
				khalifa.ticket_link(row.name, when(row.opened_on)),
				row.agent_name || "",
				__(row.status),
				when(row.closed_on),
				row.close_reason,
			]);
			const labels = [__("Opened On"), __("Agent"), __("Status"), __("Closed On"), __("Close Reason")];
			frm.get_field("tickets_html").$wrapper.html(
				rows.length
					? khalifa.table(labels, rows)
					: `<p class="text-muted">${__("No tickets that you may see.")}</p>`,
			);
			const names = identities.map((row) => [
				__(row.kind),
				{ html: `<bdi dir="ltr">${frappe.utils.escape_html(row.value)}</bdi>` },
				when(row.left_on),
			]);
			frm.toggle_display("identities_html", names.length > 0);
			frm.get_field("identities_html").$wrapper.html(
				khalifa.table([__("Kind"), __("Value"), __("Given Up On")], names),
			);
			if (duplicate) khalifa.ask_duplicate(frm, duplicate);
		});
};

khalifa.ask_duplicate = (frm, duplicate) => {
	const address = frappe.utils.get_form_link("Khalifa Customer", duplicate.name);
	const name = `<a href="${address}"><bdi>${frappe.utils.escape_html(duplicate.customer_name || duplicate.phone || duplicate.name)}</bdi></a>`;
	const button = (what, label) =>
		`<button class="btn btn-xs btn-default" data-do="${what}">${label}</button>`;
	const text = __("WhatsApp says that this is the same person as {0}.", [name]);
	frm.layout.show_message("");
	frm.layout.show_message(
		`<div class="khalifa-duplicate">${text} ${button("merge", __("Merge"))} ${button("apart", __("Not a Duplicate"))}</div>`,
		"orange",
	);
	frm.layout.message.find("[data-do=merge]").on("click", () => khalifa.ask_merge(frm, duplicate.name));
	frm.layout.message
		.find("[data-do=apart]")
		.on("click", () =>
			frappe
				.xcall("khalifa_whatsapp.api.customers.keep_apart", { customer: frm.doc.name })
				.then(() => frm.reload_doc()),
		);
};

khalifa.ask_merge = (frm, target = "") => {
	const field = {
		fieldname: "target",
		fieldtype: "Link",
		options: "Khalifa Customer",
		label: __("Customer to Keep"),
		reqd: 1,
		default: target,
		get_query: () => ({ filters: { name: ["!=", frm.doc.name], merged_into: ["is", "not set"] } }),
	};
	const merge = (kept_customer) =>
		frappe
			.xcall("khalifa_whatsapp.api.customers.merge", { source: frm.doc.name, target: kept_customer })
			.then((kept) => frappe.set_route("Form", "Khalifa Customer", kept.customer));
	const warning = __(
		"All tickets and messages of {0} will belong to the other customer. This can't be undone.",
		[frappe.utils.escape_html(frm.doc.customer_name).bold()],
	);
	frappe.prompt(
		field,
		(values) => frappe.confirm(warning, () => merge(values.target)),
		__("Merge"),
		__("Merge"),
	);
};
