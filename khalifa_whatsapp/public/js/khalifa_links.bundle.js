import "./rooms.js";

// What a search for our records found is text. Frappe writes titles and descriptions into the drop-downs of
// link fields, and into the dialog of the advanced search, as HTML, and customers choose their names. Other
// apps' records stay as they were: a search of theirs may mean its HTML.
frappe.provide("khalifa");

const OURS = /^(Khalifa .+|WhatsApp Device)$/;
const escaped = (text) =>
	String(text ?? "")
		.replace(/&/g, "&amp;")
		.replace(/</g, "&lt;");

// For choices of our own dialogs, which Frappe writes as HTML and reads again as text: the same to the eye
const LOOKALIKES = { "<": "‹", ">": "›", "&": "＆" };
khalifa.as_text = (text) => text.replace(/[<>&]/g, (character) => LOOKALIKES[character]);

const link = frappe.ui.form.ControlLink.prototype;
const { setup_awesomeplete } = link;

link.setup_awesomeplete = function () {
	setup_awesomeplete.call(this);
	const list = this.awesomplete;
	const { item } = list;
	list.item = (option, ...more) => {
		const item_data = list.get_item(option.value);
		if (item_data.html || !OURS.test(this.get_options())) return item.call(list, option, ...more);
		// The original shows `html` in the label's place, and no description that only repeats the name
		const is_repeated = item_data.description === item_data.value && !this.is_title_link();
		const html = `<strong>${escaped(item_data.label || item_data.value)}</strong>`;
		const shown = { ...item_data, html, description: is_repeated ? "" : escaped(item_data.description) };
		return item.call({ get_item: () => shown }, option, ...more);
	};
};

const { link_search } = frappe;

frappe.link_search = (doctype, args, callback, btn) => {
	// What is chosen there is the name as it came, and no name holds a "<"
	const safe = ([name, ...rest]) => [name.replace(/</g, "&lt;"), ...rest.map(escaped)];
	const show = (rows) => callback(OURS.test(doctype) ? rows.map(safe) : rows);
	return link_search(doctype, args, callback && show, btn);
};
