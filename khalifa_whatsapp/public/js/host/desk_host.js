// Desk as the host of components.

import { attempt, look, read, upload } from "../desk/calls.js";

export const desk_host = {
	t: (text, values, context) => __(text, values, context),
	read,
	look,
	attempt,
	upload,
	on(event, go) {
		frappe.realtime.on(event, go);
		return () => frappe.realtime.off(event, go);
	},
	toast(text, colour = "orange") {
		frappe.show_alert({ message: frappe.utils.escape_html(text), indicator: colour });
	},
	confirm(text) {
		return new Promise((settle) =>
			frappe.confirm(
				frappe.utils.escape_html(text),
				() => settle(true),
				() => settle(false),
			),
		);
	},
	icon: (name, size = "sm") => frappe.utils.icon(name, size),
};
