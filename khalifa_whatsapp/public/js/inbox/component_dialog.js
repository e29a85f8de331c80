// A question of Desk's whose body is a component. One click asks the server once; the dialog stays as it is until the
// server has answered, and what was written in it stays when it could not be done.

import { desk_host } from "../host/desk_host.js";
import { mount } from "../host/host.js";

// `props`: of the component, may be reactive. `action`: the label of the button, none without. `go`: what the button
// does: a promise, or null when something is still missing. Gives { hide, run }: `hide` a promise, kept when
// it is gone
export function component_dialog({ title, component, props, size = "", action = "", go = null }) {
	const dialog = new frappe.ui.Dialog({
		title,
		size,
		fields: [{ fieldname: "box", fieldtype: "HTML" }],
		...(action ? { primary_action_label: action, primary_action: () => run() } : {}),
	});
	const app = mount(component, props, dialog.fields_dict.box.$wrapper[0], desk_host);
	const is_gone = new Promise((settle) => {
		dialog.onhide = () => {
			app.unmount();
			settle();
		};
	});
	// A dialog that is hidden while it is still coming stays
	const has_come = new Promise((settle) => (dialog.on_page_show = settle));
	const hide = () => {
		has_come.then(() => dialog.hide());
		return is_gone;
	};
	let is_busy = false;
	const busy = (value) => {
		is_busy = value;
		if (action) dialog.get_primary_btn().prop("disabled", value);
	};
	const run = (does = go) => {
		const doing = is_busy ? null : does();
		if (!doing) return Promise.resolve();
		busy(true);
		return doing
			.then(hide)
			.catch((error) => desk_host.toast(error.text || __("Something went wrong."), "red"))
			.finally(() => busy(false));
	};
	dialog.show();
	return { run, hide, dialog };
}
