// Figures that count rows of their own, and the measure that each of them is
const OPENS = {
	tickets_received: "tickets_received",
	tickets_handled: "tickets_handled",
	tickets_resolved: "tickets_resolved",
	tickets_reopened: "tickets_reopened",
	tickets_excluded: "tickets_excluded",
	missed: "missed",
	messages_sent: "messages_sent",
	turns_answered: "turns_answered",
	first_response_count: "first_response",
	response_count: "response",
	resolution_count: "resolution",
	segments_counted: "segments_counted",
	delays: "delays",
	late_transfers: "late_transfers",
	transfers_in: "transfers_in",
	transfers_out: "transfers_out",
	rescues: "rescues",
	ratings: "ratings",
	ratings_good: "ratings_good",
};

frappe.ui.form.on("Khalifa Agent KPI", {
	refresh(frm) {
		for (const [field, metric] of Object.entries(OPENS)) {
			if (!frm.doc[field]) continue;
			const title = `${__(frm.fields_dict[field].df.label)}: ${frm.doc[field]}`;
			frm.add_custom_button(title, () => open_rows(frm.doc, metric), __("Show Rows"));
		}
	},
});

function open_rows({ agent, period, start_date }, metric) {
	const last = period === "Monthly" ? moment(start_date).endOf("month").format("YYYY-MM-DD") : start_date;
	frappe.route_options = { agent, metric, from_date: start_date, to_date: last };
	return frappe.set_route("query-report", "WhatsApp Counted Rows");
}
