const TEMPLATES = "khalifa_whatsapp.api.templates";
const WAIT_MS = 400;
const WRITTEN = [
	"template_name",
	"language",
	"category",
	"device",
	"parameter_format",
	"header_kind",
	"header_text",
	"header_file",
	"body",
	"footer",
];

frappe.ui.form.on("Khalifa Provider Template", {
	setup(frm) {
		frm.set_query("device", () => ({ filters: { provider: "cloud_api" } }));
		frm.fields_dict.template_values.grid.cannot_add_rows = true;
		frm.fields_dict.template_values.grid.only_sortable?.();
	},

	refresh(frm) {
		frm.page.set_indicator(...khalifa.template_status(frm.doc.status));
		offer_choices(frm);
		show_directions(frm);
		look(frm);
	},

	...Object.fromEntries(WRITTEN.map((fieldname) => [fieldname, (frm) => look_soon(frm)])),
	buttons_remove: (frm) => look_soon(frm),
});

frappe.ui.form.on("Khalifa Template Button", {
	kind: (frm) => look_soon(frm),
	text: (frm) => look_soon(frm),
	target: (frm) => look_soon(frm),
	buttons_add: (frm) => look_soon(frm),
	buttons_move: (frm) => look_soon(frm),
});

frappe.ui.form.on("Khalifa Template Variable", {
	example: (frm) => look_soon(frm),
	kind: (frm) => look_soon(frm),
});

function offer_choices(frm) {
	return frappe.xcall(`${TEMPLATES}.choices`, {}, "GET").then(({ languages, categories }) => {
		khalifa.offer(frm.fields_dict.language, languages);
		khalifa.offer(
			frm.fields_dict.category,
			categories.map((value) => ({ value, label: khalifa.template_category(value) })),
		);
	});
}

// Names, addresses and phones read from the left in every language; the texts as they are written
function show_directions(frm) {
	for (const fieldname of ["template_name", "language"])
		frm.fields_dict[fieldname].$input?.attr("dir", "ltr");
	for (const fieldname of ["header_text", "body", "footer"])
		frm.fields_dict[fieldname].$input?.attr("dir", "auto");
}

function look_soon(frm) {
	clearTimeout(frm.khalifa_wait);
	frm.khalifa_wait = setTimeout(() => look(frm), WAIT_MS);
}

// What the server says of the form as it is now: one rule, for the form and for submitting
function look(frm) {
	const asked = (frm.khalifa_asked = (frm.khalifa_asked || 0) + 1);
	return frappe.xcall(`${TEMPLATES}.look`, { form: frm.doc }).then((seen) => {
		if (frm.khalifa_asked !== asked) return; // somebody has written on
		frm.fields_dict.preview.$wrapper.empty().append(khalifa.phone_preview(seen.preview));
		if (seen.may_be_edited) keep_values(frm, seen.values);
		show_state(frm, seen);
		show_buttons(frm, seen);
	});
}

// A row for each variable; what was written in a row stays
function keep_values(frm, values) {
	const rows = frm.doc.template_values || [];
	const key = (row) => `${row.place}.${row.variable}`;
	if (rows.map(key).join() === values.map(key).join()) return;
	const known = Object.fromEntries(rows.map((row) => [key(row), row]));
	frm.clear_table("template_values");
	for (const value of values) {
		const { kind, example } = known[key(value)] || value;
		frm.add_child("template_values", { ...value, kind, example });
	}
	frm.refresh_field("template_values");
}

function show_state(frm, { problems, why_not_sent, may_be_edited }) {
	const box = $("<div></div>");
	const line = (text, colour) =>
		box.append(
			$('<div style="margin-block: 2px"></div>').append(
				$(`<span class="indicator ${colour}"></span>`),
				$("<span></span>").text(text),
			),
		);
	const is_written = Boolean(frm.doc.body);
	if (frm.doc.rejected_reason) line(__("Meta rejected it: {0}", [frm.doc.rejected_reason]), "red");
	if (!may_be_edited) line(why_not_sent, "orange");
	else if (is_written) {
		for (const { text } of problems) line(text, "red");
		if (!problems.length) line(ready(frm), "green");
		if (frm.doc.status === "APPROVED" && why_not_sent) line(why_not_sent, "orange");
	}
	frm.layout.wrapper.find(".khalifa-template").remove();
	if (!box.children().length) return;
	box.addClass("khalifa-template form-section").css({ padding: "var(--padding-md) var(--padding-lg)" });
	frm.layout.wrapper.prepend(box);
}

function ready(frm) {
	const is_draft = (frm.doc.status || "DRAFT") === "DRAFT";
	if (is_draft && frm.doc.is_changed !== 0) return __("It keeps Meta's rules and can be submitted.");
	if (frm.doc.is_changed)
		return __("Changed here. Meta still has the text from before until it is submitted.");
	return __("As Meta has it.");
}

function show_buttons(frm, { problems, may_be_edited }) {
	frm.remove_custom_button(__("Submit for Approval"));
	const is_draft = (frm.doc.status || "DRAFT") === "DRAFT";
	if (frm.is_new() || !may_be_edited || !(is_draft || frm.doc.is_changed)) return;
	const button = frm.add_custom_button(__("Submit for Approval"), () => submit(frm));
	button.addClass("btn-primary").prop("disabled", Boolean(problems.length));
	if (problems.length) button.attr("title", problems[0].text);
}

function submit(frm) {
	const question = __(
		"Submit the template {0} ({1}) to Meta? It is reviewed within a day, and can't be changed until then.",
		[frm.doc.template_name, frm.doc.language],
	);
	frappe.confirm(frappe.utils.escape_html(question), () => {
		const saved = frm.is_dirty() ? frm.save() : Promise.resolve();
		saved
			.then(() =>
				frappe.call({
					method: `${TEMPLATES}.submit`,
					args: { template: frm.doc.name },
					freeze: true,
					freeze_message: __("Meta is asked …"),
				}),
			)
			.then(() => {
				frappe.show_alert({
					message: __("Submitted. Meta's decision appears here."),
					indicator: "green",
				});
				frm.reload_doc();
			});
	});
}
