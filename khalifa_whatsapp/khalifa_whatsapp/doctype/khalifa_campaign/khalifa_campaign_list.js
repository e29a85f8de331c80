frappe.listview_settings["Khalifa Campaign"] = {
	add_fields: ["status", "plan_state", "total_count", "planned_count", "queued_count", "skipped_count"],
	hide_name_column: true,
	get_indicator(doc) {
		const colours = {
			Draft: "gray",
			"Awaiting Approval": "yellow",
			Scheduled: "blue",
			Running: "green",
			Paused: "orange",
			Cancelled: "red",
			Finished: "blue",
		};
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
	formatters: {
		// How many of those who are to get it have been written to
		total_count(total, _df, doc) {
			const recipients = (total || 0) - (doc.skipped_count || 0);
			const done = recipients - (doc.planned_count || 0) - (doc.queued_count || 0);
			return recipients > 0 ? __("{0} of {1}", [done, recipients]) : "";
		},
	},
};
