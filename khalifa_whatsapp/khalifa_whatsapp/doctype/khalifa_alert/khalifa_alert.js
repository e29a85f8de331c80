frappe.ui.form.on("Khalifa Alert", {
	refresh(frm) {
		frm.disable_form();
		frm.page.set_title(frm.doc.text);
		const { kind, device } = frm.doc;
		const open = (label, ...route) => frm.add_custom_button(label, () => frappe.set_route(...route));
		if (device) open(__("Device"), "Form", "WhatsApp Device", device);
		if (kind === "Job") open(__("Error Log"), "List", "Error Log");
		if (["Failures", "Old Message"].includes(kind)) {
			const status = kind === "Failures" ? "Failed" : "Queued";
			frm.add_custom_button(__("Messages"), () =>
				frappe.set_route("List", "Khalifa Message", { device, status }),
			);
		}
		if (kind === "Dead Letters") {
			frm.add_custom_button(__("Webhook Events"), () =>
				frappe.set_route("List", "Khalifa Webhook Event", { status: "Dead" }),
			);
		}
		if (kind === "Template") open(__("Templates"), "List", "Khalifa Provider Template");
	},
});
