frappe.listview_settings["Khalifa Delay Event"] = {
	add_fields: ["kind", "closed_on", "objection_status", "is_escalated"],
	hide_name_column: true,
	get_indicator(doc) {
		if (doc.objection_status === "Open")
			return [__("Objection to Decide"), "purple", "objection_status,=,Open"];
		if (doc.objection_status === "Accepted")
			return [__("Does Not Count"), "gray", "objection_status,=,Accepted"];
		if (!doc.closed_on) return [__("Still Waiting"), "red", "closed_on,is,not set"];
		return [__("Answered Late"), "orange", "closed_on,is,set"];
	},
};
