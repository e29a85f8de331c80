frappe.ui.form.on("Khalifa Campaign Recipient", {
	refresh(frm) {
		frm.disable_save();
		frappe.require("khalifa_campaign.bundle.js").then(() => {
			const { reason, reason_values } = frm.doc;
			frm.get_field("reason")
				.$wrapper.find(".control-value")
				.text(khalifa.filled(__(reason || ""), reason_values));
		});
		frappe.model.with_doctype("Khalifa Ticket", () => khalifa.hide_sharing(frm));
		const { message, ticket } = frm.doc;
		if (message)
			frm.add_custom_button(__("Message"), () => frappe.set_route("Form", "Khalifa Message", message));
		if (ticket && frappe.boot.page_info?.["khalifa-inbox"])
			frm.add_custom_button(__("Open in Inbox"), () => frappe.set_route("khalifa-inbox", ticket));
	},
});
