frappe.pages["khalifa-inbox"].on_page_load = (wrapper) => {
	frappe.require(["khalifa_inbox.bundle.js", "khalifa_inbox.bundle.css"], () => {
		wrapper.inbox = new khalifa.Inbox(wrapper);
		wrapper.inbox.start();
	});
	// Desk says so by this event alone; dropdowns and dialogs inside the page have one of the same name
	$(wrapper).on("hide", (event) => event.target === wrapper && wrapper.inbox?.hidden());
};

frappe.pages["khalifa-inbox"].on_page_show = (wrapper) => wrapper.inbox?.shown();
