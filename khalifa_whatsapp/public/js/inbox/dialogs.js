// Questions that need more than a click: to whom, why, with which values.

import { send_template } from "./template_dialog.js";
import { attempt, el, read, toast } from "./util.js";

const PRESENCE = { Online: "🟢", Away: "🟠", Offline: "⚪" };

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
				const options = agents
					.filter((one) => one.agent !== head.agent)
					.map((one) => ({
						value: one.agent,
						label: khalifa.as_text(
							`${PRESENCE[one.availability] || ""} ${one.name} (${one.load}/${one.capacity}) ${one.branch || ""}`,
						),
					}));
				const branches = this.inbox.branches.map((value) => ({
					value,
					label: khalifa.as_text(value),
				}));
				const dialog = new frappe.ui.Dialog({
					title: __("Transfer the Conversation"),
					fields: [
						{
							fieldname: "to_agent",
							fieldtype: "Select",
							label: __("To an Agent"),
							options: [{ value: "", label: "" }, ...options],
						},
						{
							fieldname: "to_branch",
							fieldtype: "Select",
							label: __("Or to a Branch"),
							options: [{ value: "", label: "" }, ...branches],
						},
						{
							fieldname: "reason",
							fieldtype: "Small Text",
							label: __("Why? The next one will need it."),
							reqd: 1,
						},
					],
					primary_action_label: __("Transfer"),
					primary_action: ({ to_agent, to_branch, reason }) => {
						const is_free = !head.agent && to_agent && !head.rights.reply;
						const method = is_free ? "conversation.assign" : "conversation.transfer";
						this.done(dialog, method, {
							ticket,
							agent: to_agent,
							to_agent,
							to_branch: to_agent ? null : to_branch,
							reason,
						});
					},
				});
				dialog.show();
			})
			.catch((error) => toast(error.text, "red"));
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
