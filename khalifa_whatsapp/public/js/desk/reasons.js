// Reasons that the server keeps in English: forms show them in the reader's language.

const FIELDS = {
	"WhatsApp Device": ["state_detail", "last_error_text", "files_problem", "breaker_reason"],
	"Khalifa Message": ["media_error", "error_text"],
	"Khalifa Message Status": ["error_text"],
};

export function translate_reasons() {
	for (const [doctype, fields] of Object.entries(FIELDS)) {
		frappe.ui.form.on(doctype, {
			refresh(frm) {
				for (const field of fields) frm.set_df_property(field, "formatter", in_readers_language);
			},
		});
	}
}

function in_readers_language(text) {
	return frappe.utils.escape_html(__(text || ""));
}
