// The form of a campaign: what can be done with it now, how far it is, and what the plan says before it starts.

import { el, uuid } from "../inbox/util.js";
import { AudiencePart } from "./audience.js";
import { ask, line, number, recipients_of } from "./drawing.js";
import { progress } from "./progress.js";
import { ask_places } from "./template.js";

const API = "khalifa_whatsapp.api.campaigns";
const COLOURS = {
	Draft: "gray",
	"Awaiting Approval": "yellow",
	Scheduled: "blue",
	Running: "green",
	Paused: "orange",
	Cancelled: "red",
	Finished: "blue",
};
const LOOK_AGAIN = 15000; // in case no event comes
const FROZEN = [
	"device",
	"is_promotion",
	"audience_source",
	"audience_report",
	"audience_report_filters",
	"audience_list",
	"audience_file",
	"phone_column",
	"content_type",
	"text_a",
	"text_b",
	"share_b",
	"template",
];

export class CampaignForm {
	constructor(frm) {
		this.frm = frm;
		this.audience = new AudiencePart(frm);
		frappe.realtime.on(
			"khalifa_whatsapp:campaign",
			(news) => this.is_shown(news.campaign) && this.look(),
		);
		setInterval(() => this.is_shown() && !document.hidden && this.is_live() && this.look(), LOOK_AGAIN);
	}

	is_shown(name = this.frm.doc.name) {
		return cur_frm === this.frm && this.frm.doc.name === name && !this.frm.is_new();
	}

	is_live() {
		return this.state?.plan_state === "Planning" || ["Scheduled", "Running"].includes(this.state?.status);
	}

	refresh() {
		const { frm } = this;
		this.state = null;
		frm.toggle_display(
			["audience_filters", "template_parameters", "counts_section", "estimate_section"],
			false,
		);
		frm.get_field("progress_html").$wrapper.empty();
		this.audience.show(null);
		if (!frm.is_new()) this.look(true);
	}

	// Asked for when the form is opened and whenever something has changed; the form's own fields are read
	// again only when the campaign's state is another
	look(is_new = false) {
		const { name } = this.frm.doc;
		return ask(`${API}.state`, { campaign: name }, "GET").then((state) => {
			if (!this.is_shown(name)) return;
			const before = is_new ? null : this.state;
			this.state = state;
			const is_other =
				before && (before.status !== state.status || before.plan_state !== state.plan_state);
			if (is_other && !this.frm.is_dirty()) return this.frm.reload_doc();
			this.show();
		});
	}

	show() {
		const { frm, state } = this;
		frm.page.set_indicator(__(state.status), COLOURS[state.status]);
		const is_open = state.status === "Draft" && !state.plan_state;
		for (const field of FROZEN) frm.set_df_property(field, "read_only", is_open ? 0 : 1);
		frm.toggle_display("audience_list", is_open && frm.doc.audience_source === "List"); // it may be long
		frm.get_field("progress_html").$wrapper.empty().append(this.progress());
		this.audience.show(state);
		this.buttons();
	}

	// Progress

	progress() {
		const { state } = this;
		const box = el("div", { class: "khalifa-campaign" });
		if (state.status_reason) box.append(line(state.status_reason, "orange"));
		for (const warning of state.warnings || []) box.append(line(warning, "orange"));
		if (state.plan_state === "Planning") box.append(this.planning());
		else if (state.plan_state === "Planned") box.append(...this.planned());
		else box.append(line(__("Save the campaign, then plan it: nothing is sent by that."), "gray"));
		return box;
	}

	planning() {
		const read = Object.values(this.state.counts).reduce((sum, count) => sum + count, 0);
		return line(__("The recipients are being read: {0} so far.", [number(read)]), "blue");
	}

	planned() {
		const { state } = this;
		const shown = progress(state.counts);
		const is_ahead = ["Draft", "Awaiting Approval", "Scheduled"].includes(state.status);
		return [...(is_ahead ? this.estimate(shown) : []), bar(shown), this.counts(shown)];
	}

	// Before it starts: how many, how long, how much
	estimate({ recipients, skipped }) {
		const { days, end_on, cost, currency, limited_by, unpriced } = this.state.estimate || {};
		const lines = [
			line(
				__("Goes to {0} recipients. {1} are left out.", [number(recipients), number(skipped)]),
				"blue",
			),
		];
		if (days) {
			const end = end_on ? frappe.datetime.str_to_user(end_on) : "";
			lines.push(line(__("Takes {0} days under the limits, until {1}.", [number(days), end]), "blue"));
		}
		if (limited_by)
			lines.push(line(__("What limits it: {0}", [limited_by]), days > 1 ? "orange" : "gray"));
		if (cost)
			lines.push(
				line(__("Costs about {0} {1}.", [format_number(cost, null, 2), currency || ""]), "blue"),
			);
		if (unpriced) lines.push(line(__("No price is known for {0} of them.", [number(unpriced)]), "gray"));
		return lines;
	}

	counts(shown) {
		const box = el("div", { class: "khalifa-campaign-counts" });
		const add = (state, count, colour) =>
			box.append(
				el(
					"a",
					{ href: recipients_of(this.frm.doc.name, state), class: "text-color" },
					el("span", { class: "khalifa-dot", style: `background: ${colour}` }),
					`${__(state)} `,
					el("b", { text: number(count) }),
				),
			);
		for (const { state, count, colour } of shown.segments) add(state, count, colour);
		if (shown.skipped) add("Skipped", shown.skipped, "var(--gray-400)");
		return box;
	}

	// What can be done now

	buttons() {
		const { frm, state } = this;
		frm.clear_custom_buttons();
		const acts = {
			plan: [__("Plan"), () => this.do("plan")],
			start: [__("Start"), () => this.ask_start()],
			approve: [__("Approve"), () => this.ask_start("approve")],
			resume: [__("Resume"), () => this.do("resume")],
			pause: [__("Pause"), () => this.do("pause")],
			take_back: [__("Take the Plan Back"), () => this.do("take_back")],
			cancel: [__("Cancel Campaign"), () => this.ask_cancel()],
		};
		const offered = Object.keys(acts).filter((act) => state.acts.includes(act));
		for (const act of offered) {
			const [label, go] = acts[act];
			const button = frm.add_custom_button(label, go);
			if (act === offered[0] && act !== "cancel") button.addClass("btn-primary");
			if (act === "cancel") button.addClass("text-danger");
		}
		if (frm.doc.content_type === "Template" && state.acts.includes("plan"))
			frm.add_custom_button(__("Fill In the Template"), () => ask_places(frm));
		frm.add_custom_button(__("Send a Test to Myself"), () => this.ask_test());
		if (state.plan_state !== "Planned") return;
		const results = () =>
			frappe.set_route("query-report", "WhatsApp Campaign Results", { campaign: frm.doc.name });
		frm.add_custom_button(__("Results"), results);
	}

	do(act, values = {}) {
		const { frm } = this;
		const go = () =>
			ask(`${API}.${act}`, { campaign: frm.doc.name, ...values }).then(() =>
				frm.is_dirty() ? this.look(true) : frm.reload_doc(),
			);
		return act === "plan" && frm.is_dirty() ? frm.save().then(go) : go();
	}

	ask_start(act = "start") {
		const { recipients } = progress(this.state.counts);
		const question =
			act === "start"
				? __("Send this campaign to {0} recipients?", [number(recipients).bold()])
				: __("Approve this campaign for {0} recipients?", [number(recipients).bold()]);
		const warnings = (this.state.warnings || []).map((text) => frappe.utils.escape_html(text));
		frappe.confirm([question, ...warnings].join("<br><br>"), () => this.do(act));
	}

	ask_cancel() {
		const { counts } = this.state;
		const waiting = (counts.Planned || 0) + (counts.Queued || 0);
		const question = __("End this campaign? {0} recipients will not get it. This can't be undone.", [
			number(waiting).bold(),
		]);
		frappe.confirm(question, () => this.do("cancel"));
	}

	ask_test() {
		const { frm } = this;
		const fields = [
			{
				fieldname: "phone",
				fieldtype: "Data",
				label: __("Phone Number"),
				reqd: 1,
				default: localStorage.getItem("khalifa_test_phone") || "",
				description: __("The first recipient's values are filled in."),
			},
		];
		if (frm.doc.content_type === "Text" && frm.doc.text_b)
			fields.push({
				fieldname: "variant",
				fieldtype: "Select",
				label: __("Text"),
				options: "A\nB",
				default: "A",
			});
		const send = ({ phone, variant }) => {
			localStorage.setItem("khalifa_test_phone", phone);
			ask(`${API}.send_test`, {
				campaign: frm.doc.name,
				phone,
				client_key: uuid(),
				variant: variant || "A",
			}).then(() => frappe.show_alert({ message: __("The test is on its way."), indicator: "green" }));
		};
		const prompt = () => frappe.prompt(fields, send, __("Send a Test to Myself"), __("Send"));
		return frm.is_dirty() ? frm.save().then(prompt) : prompt();
	}
}

function bar({ segments }) {
	const parts = segments.map(({ state, colour, count, width }) =>
		el("div", {
			style: `width: ${width}%; background: ${colour}`,
			title: `${__(state)}: ${number(count)}`,
		}),
	);
	return el("div", { class: "khalifa-campaign-bar", role: "img", "aria-label": __("Progress") }, ...parts);
}
