// A conversation that we begin: from which number of ours, to whom, with what.

import { reactive } from "vue";

import { component_dialog } from "./component_dialog.js";
import FirstContact from "./components/FirstContact.vue";
import { REPLY } from "./drafts.js";
import { attempt, read, toast, uuid } from "./util.js";

export function first_contact(inbox) {
	return read("first_contact.numbers")
		.then((numbers) => {
			if (!numbers.length)
				return toast(__("No number can send now. A manager sees why in the list of devices."));
			return show(inbox, numbers);
		})
		.catch((error) => toast(error.text, "red"));
}

function show(inbox, numbers) {
	const key = uuid();
	const state = reactive({
		numbers,
		device: numbers[0].device,
		whom: null, // { phone, customer, name, shown }
		way: numbers[0].needs_template ? "template" : "text",
		body: "",
		template: null,
		values: [],
	});
	return component_dialog({
		title: __("New Conversation"),
		component: FirstContact,
		props: { state },
		action: __("Send"),
		go: () => {
			const lacking = what_is_missing(state);
			if (lacking) return missing(lacking);
			return attempt("first_contact.begin", { ...asked(state), client_key: key }).then((begun) =>
				begun_to(inbox, state, begun),
			);
		},
	});
}

function asked({ device, whom, way, body, template, values }) {
	const who = whom.customer ? { customer: whom.customer } : { phone: whom.phone };
	if (way === "text") return { device, ...who, body };
	return { device, ...who, template: template.name, values: JSON.stringify(values) };
}

function what_is_missing({ whom, way, body, template }) {
	if (!whom) return __("Choose whom to write to.");
	if (way === "text" && !body.trim()) return __("The message is empty. Write something first.");
	return way === "template" && !template ? __("Choose a template.") : "";
}

// Where a conversation was open already nothing was sent: the words wait in it
function begun_to(inbox, state, { ticket, is_new }) {
	if (is_new) toast(__("On its way."), "green");
	else {
		const drafts = inbox.composer.drafts;
		if (state.way === "text" && drafts && !drafts.get(ticket, REPLY).text)
			drafts.put(ticket, REPLY, { ...drafts.get(ticket, REPLY), text: state.body });
		toast(__("This customer has an open conversation already. Nothing was sent yet."));
	}
	inbox.list.refresh();
	inbox.open(ticket);
}

function missing(text) {
	toast(text);
	return null;
}
