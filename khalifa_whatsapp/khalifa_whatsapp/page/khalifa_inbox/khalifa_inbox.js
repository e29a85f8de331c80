frappe.pages["khalifa-inbox"].on_page_load = (wrapper) => {
	frappe.require(["khalifa_inbox.bundle.js", "khalifa_inbox.bundle.css"], () => {
		wrapper.inbox = new khalifa.Inbox(wrapper);
		wrapper.inbox.start();
	});
};

frappe.pages["khalifa-inbox"].on_page_show = (wrapper) => wrapper.inbox?.shown();
frappe.pages["khalifa-inbox"].on_page_hide = (wrapper) => wrapper.inbox?.hidden();
