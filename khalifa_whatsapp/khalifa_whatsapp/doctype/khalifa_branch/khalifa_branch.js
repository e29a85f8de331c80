frappe.ui.form.on("Khalifa Branch", {
	refresh(frm) {
		if (frm.is_new()) return;
		const list =
			(doctype, filters = {}) =>
			() =>
				frappe.set_route("List", doctype, { branch: frm.doc.name, ...filters });
		frm.add_custom_button(
			__("Open Tickets"),
			list("Khalifa Ticket", { status: ["!=", "Closed"] }),
			__("View"),
		);
		frm.add_custom_button(__("Agents"), list("Khalifa Agent"), __("View"));
		frm.add_custom_button(__("Delays"), list("Khalifa Delay Event"), __("View"));
	},
});
