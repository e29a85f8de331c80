frappe.ui.form.on("Khalifa Campaign", {
	setup(frm) {
		frm.khalifa_ready = frappe
			.require(["khalifa_campaign.bundle.js", "khalifa_campaign.bundle.css"])
			.then(() => (frm.khalifa_campaign ||= new khalifa.CampaignForm(frm)));
		frm.set_query("template", ({ device }) => ({
			filters: { status: "APPROVED", ...(device ? { device } : {}) },
		}));
	},
	refresh(frm) {
		frappe.model.with_doctype("Khalifa Ticket", () => khalifa.hide_sharing(frm));
		frm.khalifa_ready.then((form) => form.refresh());
	},
	audience_source(frm) {
		frm.khalifa_ready.then((form) => form.audience.show(form.state));
	},
});
