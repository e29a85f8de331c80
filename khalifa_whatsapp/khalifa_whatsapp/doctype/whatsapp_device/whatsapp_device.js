frappe.ui.form.on("WhatsApp Device", {
	refresh(frm) {
		if (!frm.is_new() && frm.doc.provider === "wppconnect") {
			frm.add_custom_button(__("New Webhook Secret"), () => confirm_new_secret(frm));
		}
	},
});

function confirm_new_secret(frm) {
	frappe.confirm(
		__("Make a new webhook address? The present one works for 24 hours more."),
		() => frm.call("new_webhook_secret").then(({ message }) => show_once(frm, message.url))
	);
}

function show_once(frm, url) {
	frappe.msgprint({
		title: __("Webhook Address"),
		message: `<p>${__("Copy this address into the gateway now. It is not shown again.")}</p>
			<pre style="white-space: pre-wrap; direction: ltr">${frappe.utils.escape_html(url)}</pre>`,
	});
	frm.reload_doc();
}
