// Questions that need more than a click: to whom, why, with which values.

import { first_contact } from "./first_contact.js";
import { macros } from "./macros.js";
import { snooze } from "./snooze.js";
import { send_template } from "./template_dialog.js";
import { choose_receiver } from "./transfer.js";
import { attempt, el, read, toast } from "./util.js";

export class Dialogs {
	constructor(inbox) {
		this.inbox = inbox;
	}

	take() {
		const me = this.inbox.me.agent;
		if (!me) return this.transfer();
		return this.inbox.thread.do("conversation.assign", { agent: me });
	}

	transfer() {
		const { ticket, head } = this.inbox.thread;
		return read("inbox.agents")
			.then((agents) => {
				if (this.inbox.ticket !== ticket) return;
				choose_receiver({
					agents,
					branches: this.inbox.branches,
					holder: head.agent || "",
					is_manager: this.inbox.me.is_manager,
					go: (choice) => this.hand_on(ticket, head, choice),
				});
			})
			.catch((error) => toast(error.text, "red"));
	}

	hand_on(ticket, head, choice) {
		const is_free = !head.agent && choice.to_agent && !head.rights.reply;
		const args = { ticket, agent: choice.to_agent, ...choice };
		return attempt(is_free ? "conversation.assign" : "conversation.transfer", args).then(
			() => this.inbox.ticket === ticket && this.inbox.thread.changed(),
		);
	}

	// What the head of a thread offers beside transfer and close: { label, icon, go }
	acts(head) {
		const acts = [];
		if (head.rights.snooze && head.snoozed_ms)
			acts.push({
				label: __("Bring Back"),
				icon: "refresh",
				go: () => this.inbox.thread.do("conversation.unsnooze"),
			});
		else if (head.rights.snooze)
			acts.push({ label: __("Snooze"), icon: "calendar", go: () => snooze(this.inbox) });
		if (head.rights.note && head.status !== "Closed")
			acts.push({ label: __("Macros"), icon: "tool", go: () => macros(this.inbox) });
		return acts;
	}

	first_contact() {
		return first_contact(this.inbox);
	}

	// One answer for one click; the dialog stays as it is until the server has done it
	done(dialog, method, args) {
		dialog.get_primary_btn().prop("disabled", true);
		return attempt(method, args)
			.then(() => {
				dialog.hide();
				if (this.inbox.ticket === args.ticket) this.inbox.thread.changed();
				if (method === "conversation.close") this.inbox.list.after_closing(args.ticket);
			})
			.catch((error) => toast(error.text, "red"))
			.finally(() => dialog.get_primary_btn().prop("disabled", false));
	}

	become_agent() {
		frappe.new_doc("Khalifa Agent", { user: frappe.session.user, employee_name: this.inbox.me.name });
	}

	// Blanks of a quick reply that only the writer can fill in
	ask_blanks(names, then) {
		const fields = names.map((name, place) => ({
			fieldname: `blank_${place}`,
			fieldtype: "Data",
			label: khalifa.as_text(name),
			reqd: 1,
		}));
		frappe.prompt(
			fields,
			(values) => then(names.map((name, place) => [name, values[`blank_${place}`]])),
			__("Fill In"),
			__("Insert"),
		);
	}

	close() {
		const { ticket } = this.inbox;
		const labels = {
			resolved: __("Resolved"),
			no_reply_needed: __("No reply needed"),
			spam: __("Spam"),
			inactive: __("The customer does not answer"),
		};
		const dialog = new frappe.ui.Dialog({
			title: __("Close the Conversation"),
			fields: [
				{
					fieldname: "reason",
					fieldtype: "Select",
					label: __("Reason"),
					reqd: 1,
					default: "resolved",
					options: this.inbox.close_reasons.map((value) => ({
						value,
						label: labels[value] || value,
					})),
				},
			],
			primary_action_label: __("Close"),
			primary_action: ({ reason }) => this.done(dialog, "conversation.close", { ticket, reason }),
		});
		dialog.show();
	}

	template() {
		return send_template(this.inbox);
	}

	help() {
		const keys = [
			["j / k", __("Next and previous conversation")],
			["/", __("Search")],
			["r", __("Write")],
			["n", __("Note")],
			["q", __("Quick replies")],
			["Ctrl+/", __("Quick replies, while writing")],
			["Ctrl+Enter", __("Send")],
			["t", __("Transfer")],
			["e", __("Close")],
			["x", __("Tick, for several at once")],
			["Ctrl+A", __("Tick all, in the list")],
			["u", __("Mark as Unread")],
			["p", __("Pin or unpin")],
			["Esc", __("Leave the text")],
			["?", __("This help")],
		];
		const dialog = new frappe.ui.Dialog({
			title: __("Keys"),
			fields: [{ fieldname: "keys", fieldtype: "HTML" }],
		});
		const hint = el("p", {
			class: "kin-muted",
			text: __("On an Arabic keyboard the keys in the same places."),
		});
		dialog.fields_dict.keys.$wrapper[0].append(
			hint,
			el(
				"table",
				{ class: "table table-sm" },
				...keys.map(([key, what]) =>
					el(
						"tr",
						{},
						el("td", {}, el("kbd", { dir: "ltr", text: key })),
						el("td", { text: what }),
					),
				),
			),
		);
		dialog.show();
	}
}
