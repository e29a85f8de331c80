// The rooms of our lists are managers' (access/rooms.py). Frappe's lists ask for them whoever looks, and its
// socket server writes each refusal into its log, with the session of whoever asked: agents' pages don't ask.

const OURS = /^(Khalifa .+|WhatsApp Device)$/;
const MANAGERS = ["WhatsApp Manager", "System Manager", "Administrator"];

const { doctype_subscribe } = frappe.realtime;

frappe.realtime.doctype_subscribe = function (doctype) {
	const is_open = !OURS.test(doctype) || MANAGERS.some((role) => frappe.user_roles.includes(role));
	return is_open && doctype_subscribe.call(this, doctype);
};
