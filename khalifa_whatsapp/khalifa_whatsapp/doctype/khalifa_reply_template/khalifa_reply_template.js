const WAIT_MS = 400;
const PICTURE = /\.(png|jpe?g)$/i;
const FILM = /\.(mp4|3gp)$/i;

frappe.ui.form.on("Khalifa Reply Template", {
	refresh(frm) {
		const is_manager = frappe.user.has_role(["WhatsApp Manager", "System Manager"]);
		frm.set_df_property("agent", "read_only", is_manager ? 0 : 1); // an agent's own are only for him or her
		for (const fieldname of ["shortcut", "title", "body", "category"])
			frm.fields_dict[fieldname].$input?.attr("dir", "auto");
		offer_categories(frm);
		look(frm);
	},
	body: (frm) => look_soon(frm),
	attachment: (frm) => look_soon(frm),
});

function offer_categories(frm) {
	const used = {
		fields: ["category"],
		filters: { category: ["is", "set"] },
		group_by: "category",
		limit: 200,
	};
	return frappe.db.get_list("Khalifa Reply Template", used).then((rows) =>
		khalifa.offer(
			frm.fields_dict.category,
			rows.map((row) => row.category),
			{ is_free: true },
		),
	);
}

function look_soon(frm) {
	clearTimeout(frm.khalifa_wait);
	frm.khalifa_wait = setTimeout(() => look(frm), WAIT_MS);
}

function look(frm) {
	const asked = (frm.khalifa_asked = (frm.khalifa_asked || 0) + 1);
	const body = frm.doc.body || "";
	return frappe
		.xcall("khalifa_whatsapp.api.inbox.look_at_quick_reply", { body })
		.then(({ parts, unknown, known }) => {
			if (frm.khalifa_asked !== asked) return; // somebody has written on
			const shown = { header_kind: kind(frm.doc.attachment), header_file: frm.doc.attachment };
			const is_rtl = /[\u0600-\u06ff]/.test(body);
			const box = frm.fields_dict.preview.$wrapper.empty();
			box.append(khalifa.phone_preview({ ...shown, body: parts.map(example), is_rtl }));
			const names = (list) => list.map((name) => `{${name}}`).join(" ");
			if (unknown.length)
				box.append(hint(__("Nobody fills in {0}.", [names(unknown)])).addClass("text-danger"));
			box.append(hint(__("Filled in by itself: {0}", [names(known)])));
		});
}

// What stands in a blank, for whoever looks at the form
function example(part) {
	const examples = {
		customer: __("the customer's name"),
		agent: __("your name"),
		branch: __("the branch"),
		ticket: "KT-000001",
		today: frappe.datetime.str_to_user(frappe.datetime.get_today()),
		phone: "+201001234567",
	};
	return part.blank ? { ...part, shown: examples[part.blank] } : part;
}

function hint(text) {
	return $('<p class="text-muted small" style="margin-block-start: 8px"></p>').text(text);
}

function kind(file) {
	if (!file) return "";
	return PICTURE.test(file) ? "IMAGE" : FILM.test(file) ? "VIDEO" : "DOCUMENT";
}
