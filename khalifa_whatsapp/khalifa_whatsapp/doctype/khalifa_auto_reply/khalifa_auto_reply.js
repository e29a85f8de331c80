frappe.provide("khalifa.auto_replies");

frappe.ui.form.on("Khalifa Auto Reply", {
	setup(frm) {
		frm.set_query("branch", () => ({ filters: { enabled: 1 } }));
	},
	refresh(frm) {
		frm.fields_dict.pattern.$input?.attr("dir", "ltr");
		if (frm.is_new()) return;
		frm.page.set_indicator(
			frm.doc.enabled ? __("Enabled") : __("Disabled"),
			frm.doc.enabled ? "green" : "gray",
		);
		frm.add_custom_button(__("Try a Text"), () =>
			khalifa.auto_replies.ask({
				rule: frm.doc.name,
				device: frm.doc.device,
				branch: frm.doc.branch,
			}),
		);
		frm.add_custom_button(
			__("Messages"),
			() => frappe.set_route("List", "Khalifa Message", { auto_reply: frm.doc.name }),
			__("View"),
		);
		show_use(frm);
	},
});

function show_use(frm) {
	const rule = frm.doc.name;
	frappe.xcall("khalifa_whatsapp.api.auto_replies.usage", { rule }).then((use) => {
		if (frm.doc.name !== rule) return;
		const lines = use.total
			? [
					__("{0} times, {1} of them in the last {2} days, to {3} customers.", [
						use.total,
						use.lately,
						use.days,
						use.customers,
					]),
					__("Last: {0}", [`\u2068${frappe.datetime.str_to_user(use.last_on)}\u2069`]),
					...use.costs.map((one) =>
						__("Cost: {0}", [`\u2068${window.format_currency(one.cost, one.currency)}\u2069`]),
					),
				]
			: [__("It has not answered anybody yet.")];
		const box = frm.fields_dict.usage_html.$wrapper.empty();
		for (const text of lines) box.append($("<div></div>").text(text));
	});
}
