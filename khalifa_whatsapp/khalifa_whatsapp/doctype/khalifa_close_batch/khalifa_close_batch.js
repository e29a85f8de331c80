frappe.provide("khalifa");

frappe.ui.form.on("Khalifa Close Batch", {
	setup() {
		frappe.realtime.on(
			"khalifa_whatsapp:close_all",
			(news) => news.batch === cur_frm?.doc.name && cur_frm.reload_doc(),
		);
	},
	refresh(frm) {
		frm.disable_save();
		const colour = { Running: "orange", Done: "green", Undoing: "orange", Undone: "gray" }[
			frm.doc.status
		];
		frm.page.set_indicator(__(frm.doc.status), colour);
		if (frm.doc.status === "Done" && frm.doc.closed) {
			frm.add_custom_button(__("Undo"), () => khalifa.undo_batch(frm));
		}
		frappe.model.with_doctype("Khalifa Ticket", () => {
			khalifa.hide_sharing(frm);
			khalifa.show_batch(frm);
		});
	},
});

khalifa.undo_batch = (frm) => {
	const question = __("Reopen the {0} tickets of this run?", [frm.doc.closed]);
	const undo = () =>
		frappe.xcall("khalifa_whatsapp.api.conversation.close_all_undo", { batch: frm.doc.name });
	frappe.confirm(question, () => undo().then(() => frm.reload_doc()));
};

khalifa.show_batch = (frm) => {
	frappe.xcall("khalifa_whatsapp.api.desk.batch_items", { batch: frm.doc.name }).then(({ rows, total }) => {
		const cells = rows.map((row) => [
			khalifa.ticket_link(row.ticket, row.customer_name),
			row.agent_name || "",
			row.branch || "",
			__(row.result),
			__(row.why),
		]);
		const labels = [__("Customer"), __("Agent"), __("Branch"), __("Result"), __("Why")];
		const more =
			total > rows.length ? `<p class="text-muted">${__("{0} more", [total - rows.length])}</p>` : "";
		const empty = `<p class="text-muted">${__("No ticket was open.")}</p>`;
		frm.get_field("items_html").$wrapper.html(rows.length ? khalifa.table(labels, cells) + more : empty);
	});
};
