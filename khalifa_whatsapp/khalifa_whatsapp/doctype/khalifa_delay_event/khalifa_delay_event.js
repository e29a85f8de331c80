frappe.provide("khalifa");

frappe.ui.form.on("Khalifa Delay Event", {
	refresh(frm) {
		frm.disable_save();
		frappe.model.with_doctype("Khalifa Ticket", () => khalifa.hide_sharing(frm));
		const is_manager = frappe.user.has_role(["WhatsApp Manager", "System Manager"]);
		if (is_manager && frm.doc.objection_status === "Open") {
			frm.add_custom_button(__("Accept Objection"), () => khalifa.ask_decision(frm, true));
			frm.add_custom_button(__("Reject Objection"), () => khalifa.ask_decision(frm, false));
		}
		if (frm.doc.kind !== "Agent" || frm.doc.objection_status) return;
		frappe.db.get_value("Khalifa Agent", frm.doc.agent, "name").then(({ message }) => {
			if (!is_manager && message?.name)
				frm.add_custom_button(__("Object"), () => khalifa.ask_objection(frm));
		});
	},
});

khalifa.ask_objection = (frm) => {
	const field = {
		fieldname: "objection",
		fieldtype: "Small Text",
		label: __("Why should it not count?"),
		reqd: 1,
	};
	const send = (values) =>
		frappe
			.xcall("khalifa_whatsapp.api.agents.object_to_delay", { delay: frm.doc.name, ...values })
			.then(() => frm.reload_doc());
	frappe.prompt(field, send, __("Object"), __("Send"));
};

khalifa.ask_decision = (frm, is_accepted) => {
	const title = is_accepted ? __("Accept Objection") : __("Reject Objection");
	const field = { fieldname: "decision", fieldtype: "Small Text", label: __("Decision") };
	const send = (values) =>
		frappe
			.xcall("khalifa_whatsapp.api.agents.decide_objection", {
				delay: frm.doc.name,
				is_accepted,
				...values,
			})
			.then(() => frm.reload_doc());
	frappe.prompt(field, send, title, title);
};
