// Moments in lists, whose columns are narrow.

// A stored Datetime as the reader writes it, without seconds; HTML
export function to_the_minute(value) {
	if (!value) return "";
	const text = frappe.datetime.str_to_user(value).replace(/(\d\d:\d\d):\d\d/, "$1");
	return `<bdi dir="ltr">${frappe.utils.escape_html(text)}</bdi>`;
}
