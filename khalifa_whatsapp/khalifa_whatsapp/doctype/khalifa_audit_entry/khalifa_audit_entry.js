frappe.ui.form.on("Khalifa Audit Entry", {
	refresh(frm) {
		frm.disable_form();
		frm.fields_dict.details_html.html(table_of(JSON.parse(frm.doc.details || "{}")));
		if (
			frm.doc.document_type &&
			frm.doc.document &&
			frappe.boot.user.can_read.includes(frm.doc.document_type)
		) {
			frm.add_custom_button(__("Open"), () =>
				frappe.set_route("Form", frm.doc.document_type, frm.doc.document),
			);
		}
	},
});

function table_of({ changes = [], values = {} }) {
	const rows = [
		...changes.map((change) => [__(change.label), change.old, change.new]),
		...Object.entries(values).map(([name, value]) => [__(name), "", value]),
	];
	if (!rows.length) return "";
	const heads = [__("Field"), __("Before"), __("After")];
	const line = (cells, tag) =>
		`<tr>${cells.map((text) => `<${tag}>${frappe.utils.escape_html(String(text || ""))}</${tag}>`).join("")}</tr>`;
	const body = rows.map((cells) => line(cells, "td")).join("");
	return `<table class="table table-bordered"><thead>${line(heads, "th")}</thead><tbody>${body}</tbody></table>`;
}
