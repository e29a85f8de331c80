frappe.listview_settings["Khalifa Customer"] = {
	add_fields: ["is_opted_out", "merged_into"],
	hide_name_column: true,
	get_indicator(doc) {
		if (doc.merged_into) return [__("Merged"), "gray", "merged_into,is,set"];
		if (doc.is_opted_out) return [__("Wants No Promotions"), "orange", "is_opted_out,=,1"];
		return undefined;
	},
	formatters: { phone: (value) => `<bdi dir="ltr">${frappe.utils.escape_html(value || "")}</bdi>` },
};
