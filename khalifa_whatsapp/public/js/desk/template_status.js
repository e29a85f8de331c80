// What Meta's states and categories of a template are called, and their colours. A new one is shown as Meta writes
// it.

// [label, colour]
export function template_status(status) {
	const known = {
		DRAFT: [__("Draft"), "gray"],
		APPROVED: [__("Approved"), "green"],
		PENDING: [__("In Review"), "orange"],
		REJECTED: [__("Rejected"), "red"],
		PAUSED: [__("Paused"), "red"],
		DISABLED: [__("Disabled"), "red"],
		FLAGGED: [__("Flagged"), "orange"],
	};
	return known[status || "DRAFT"] || [status, "gray"];
}

export function template_category(category) {
	const known = {
		MARKETING: __("Marketing"),
		UTILITY: __("Utility"),
		AUTHENTICATION: __("Authentication"),
	};
	return known[category] || category;
}
