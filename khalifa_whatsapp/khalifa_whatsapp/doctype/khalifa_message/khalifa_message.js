const API = "khalifa_whatsapp.api.conversation";
const DOWNLOAD = "/api/method/khalifa_whatsapp.api.media.download";

frappe.ui.form.on("Khalifa Message", {
	refresh(frm) {
		frm.disable_save();
		show_file(frm);
		if (frm.doc.direction !== "Outgoing") return;
		show_fate(frm);
		frappe.xcall("khalifa_whatsapp.api.desk.message_form", { message: frm.doc.name }).then(({ can }) => {
			if (frm.doc.name === cur_frm?.doc.name) add_choices(frm, can);
		});
	},
});

function show_file(frm) {
	if (frm.doc.file_url)
		frm.add_custom_button(__("Open the File"), () =>
			window.open(
				`${DOWNLOAD}?${new URLSearchParams({ message: frm.doc.name })}`,
				"_blank",
				"noopener",
			),
		);
	const error = frm.doc.media_error && __(frm.doc.media_error);
	if (!["Waiting", "Failed"].includes(frm.doc.media_state) || frm.doc.is_revoked) return;
	if (error)
		frm.set_intro(
			frappe.utils.escape_html(
				frm.doc.media_state === "Failed"
					? __("The file could not be fetched: {0}", [error])
					: __("The file is not here yet: {0}", [error]),
			),
			"orange",
		);
	frm.add_custom_button(__("Fetch the File Again"), () =>
		frappe
			.xcall("khalifa_whatsapp.api.media.fetch_again", { message: frm.doc.name })
			.then(() => frm.reload_doc()),
	);
}

function show_fate(frm) {
	const colours = { Failed: "red", Unknown: "orange", Queued: "blue", Sending: "blue" };
	frm.page.set_indicator(__(frm.doc.status), colours[frm.doc.status] || "green");
	if (!["Failed", "Unknown"].includes(frm.doc.status)) return;
	const intro =
		frm.doc.status === "Failed"
			? __("It was not sent: {0}", [__(frm.doc.error_text || "")])
			: __("It may not have been sent. Look at the phone before you send it again. {0}", [
					__(frm.doc.error_text || ""),
				]);
	frm.set_intro(frappe.utils.escape_html(intro), colours[frm.doc.status]);
}

function add_choices(frm, can) {
	if (can.send_again && ["Failed", "Unknown"].includes(frm.doc.status) && !frm.doc.resent_as) {
		frm.add_custom_button(__("Send Again"), () => send_again(frm)).addClass("btn-primary");
	}
	if (frm.doc.resent_as) {
		frm.add_custom_button(__("Open the New One"), () =>
			frappe.set_route("Form", "Khalifa Message", frm.doc.resent_as),
		);
	}
	if (!can.settle) return;
	if (frm.doc.status === "Unknown") {
		frm.add_custom_button(__("It Was Sent"), () => settle(frm, "confirm_message"));
		frm.add_custom_button(__("It Was Not Sent"), () => settle(frm, "discard_message"));
	}
	if (frm.doc.status === "Queued") {
		frm.add_custom_button(__("Take Back"), () => settle(frm, "discard_message"));
	}
}

function send_again(frm) {
	const act = () =>
		frappe.xcall(`${API}.retry_message`, { message: frm.doc.name }).then(() => {
			frappe.show_alert({ message: __("Waiting to Be Sent"), indicator: "blue" });
			frm.reload_doc();
		});
	if (frm.doc.status === "Failed") return act();
	frappe.confirm(
		__("Nobody knows whether it arrived. If it did, the customer reads it twice. Send it again?"),
		act,
	);
}

function settle(frm, method) {
	frappe.xcall(`${API}.${method}`, { message: frm.doc.name }).then(() => frm.reload_doc());
}
