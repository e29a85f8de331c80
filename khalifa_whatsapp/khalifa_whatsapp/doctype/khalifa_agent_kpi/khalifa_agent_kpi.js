// Figures that count rows of their own, and the measure that each of them is
const OPENS = {
	tickets_received: "tickets_received", tickets_handled: "tickets_handled", tickets_resolved: "tickets_resolved",
	tickets_reopened: "tickets_reopened", tickets_excluded: "tickets_excluded", missed: "missed", messages_sent: "messages_sent",
	turns_answered: "turns_answered", first_response_count: "first_response", response_count: "response",
	resolution_count: "resolution", segments_counted: "segments_counted", delays: "delays", late_transfers: "late_transfers",
	transfers_in: "transfers_in", transfers_out: "transfers_out", rescues: "rescues",
};

frappe.ui.form.on("Khalifa Agent KPI", {
	onload: () => frappe.require("khalifa_reports.bundle.js"),
	refresh(frm) {
		for (const [field, metric] of Object.entries(OPENS)) {
			if (!frm.doc[field]) continue;
			const title = `${__(frm.fields_dict[field].df.label)}: ${frm.doc[field]}`;
			frm.add_custom_button(title, () => open_rows(frm, metric), __("Show Rows"));
		}
	},
});

function open_rows(frm, metric) {
	return frappe
		.call({ method: "khalifa_whatsapp.api.kpi.rows_behind", args: { kpi_row: frm.doc.name, metric }, type: "GET" })
		.then(({ message }) => khalifa_whatsapp.reports.show_rows(message));
}
