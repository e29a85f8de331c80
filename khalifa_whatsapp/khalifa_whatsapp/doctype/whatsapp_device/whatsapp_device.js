const API = "khalifa_whatsapp.api";
const COLOURS = {
	Connected: "green",
	Connecting: "orange",
	QR: "orange",
	Disconnected: "red",
	Restricted: "red",
};
const REFRESH_SECONDS = 15;
const QR_SECONDS = 3;

frappe.ui.form.on("WhatsApp Device", {
	refresh(frm) {
		frm.fields_dict.phone_number.$input?.attr("dir", "ltr");
		if (frm.is_new()) return;
		add_buttons(frm);
		show_state(frm);
		listen(frm);
	},
});

function add_buttons(frm) {
	const session = __("Session");
	if (["wppconnect", "whatsapp_web"].includes(frm.doc.provider) && frm.doc.enabled) {
		frm.add_custom_button(__("Connect"), () => connect(frm), session);
		frm.add_custom_button(__("Disconnect"), () => act(frm, "disconnect"), session);
		frm.add_custom_button(__("Log Out"), () => confirm_log_out(frm), session);
	}
	if (frm.doc.enabled) {
		frm.add_custom_button(__("Send a Test Message"), () => ask_test(frm));
	}
	if (frm.doc.provider === "loopback" && frm.doc.enabled) {
		frm.add_custom_button(__("Receive a Test Message"), () => ask_received(frm));
	}
	if (frm.doc.provider === "cloud_api" && frm.doc.enabled) {
		frm.add_custom_button(__("Sync Templates"), () => sync_templates(frm));
	}
	if (frm.doc.provider === "wppconnect") {
		frm.add_custom_button(__("New Webhook Secret"), () => confirm_new_secret(frm));
	}
	const label = frm.doc.is_paused ? __("Resume Sending") : __("Pause Sending");
	frm.add_custom_button(label, () =>
		frm.set_value("is_paused", frm.doc.is_paused ? 0 : 1).then(() => frm.save()),
	);
}

// State: shown at once, published by the server when it changes, and asked for now and then in case no event came

function listen(frm) {
	if (frm.khalifa_listens) return;
	frm.khalifa_listens = true;
	frappe.realtime.on("khalifa_whatsapp:device", (event) => {
		if (event.device === frm.doc.name) show_state(frm);
	});
	setInterval(() => {
		const is_open = cur_frm === frm && !document.hidden && frappe.get_route()[0] === "Form";
		if (is_open && !frm.is_new()) show_state(frm);
	}, REFRESH_SECONDS * 1000);
}

function show_state(frm) {
	const device = frm.doc.name;
	return Promise.all([
		frappe.xcall(`${API}.devices.status`, { device }),
		frappe.xcall(`${API}.device_tools.counters`, { device }),
	]).then(([state, counts]) => {
		if (frm.doc.name !== device) return;
		if (state.problem) frm.page.set_indicator(__(state.problem_kind), "red");
		else
			frm.page.set_indicator(
				__(state.state),
				frm.doc.enabled ? COLOURS[state.state] || "gray" : "gray",
			);
		frm.layout.wrapper.find(".khalifa-device").remove();
		frm.layout.wrapper.prepend(panel(frm, state, counts));
	});
}

function panel(frm, state, counts) {
	const box = $('<div class="khalifa-device form-section"></div>').css({
		padding: "var(--padding-md) var(--padding-lg)",
	});
	if (state.problem) {
		line(box, state.problem, "red");
		if (state.is_held)
			line(box, __("Nothing is sent until then. Messages wait, and none is lost."), "orange");
	}
	line(box, state.text, frm.doc.enabled ? COLOURS[state.state] : "gray");
	if (state.is_paused || counts.is_paused_everywhere)
		line(box, __("Sending is paused. Messages wait."), "orange");
	if (state.breaker.state !== "Closed") {
		line(box, __("Left alone for a while after failures: {0}", [state.breaker.reason]), "red");
	}
	if (state.error.text) {
		const when = state.error.on ? frappe.datetime.prettyDate(state.error.on) : "";
		line(box, __("Last error ({0}): {1}", [when, state.error.text]), "red");
	}
	for (const { on, severity, text } of state.notices) {
		line(
			box,
			`\u2068${frappe.datetime.str_to_user(on)}\u2069: ${text}`,
			severity === "Critical" ? "red" : "orange",
		);
	}
	if (state.gateway && !state.gateway.is_running) {
		line(box, __("The process that owns the browsers is not running. Start it on the server:"), "red");
		box.append($("<code dir='ltr'></code>").text(state.gateway.command));
	}
	box.append(counters(counts));
	return box;
}

function line(box, text, colour) {
	const row = $('<div style="margin-block: 2px"></div>');
	if (colour) row.append($(`<span class="indicator ${colour}"></span>`));
	row.append($("<span></span>").text(text));
	box.append(row);
}

function counters(counts) {
	const shown = [
		[__("Last Minute"), counts.minute],
		[__("Last Hour"), counts.hour],
		[__("Today"), counts.day],
		[__("New Chats Today"), counts.new_chats],
	];
	const row = $(
		'<div style="display: flex; flex-wrap: wrap; gap: var(--padding-lg); margin-block-start: 8px"></div>',
	);
	for (const [label, { sent, cap }] of shown) row.append(counter(label, sent, cap));
	row.append(counter(__("Replies Today"), counts.replies.sent, 0));
	row.append(counter(__("Waiting to Be Sent"), counts.waiting, 0));
	return row;
}

function counter(label, sent, cap) {
	const box = $('<div style="min-width: 110px"></div>');
	box.append($('<div class="text-muted small"></div>').text(label));
	const value = cap
		? __("{0} of {1}", [format_number(sent, null, 0), format_number(cap, null, 0)])
		: format_number(sent, null, 0);
	box.append($("<div></div>").css("font-weight", 600).text(value));
	if (cap) {
		const share = Math.min(100, (100 * sent) / cap);
		const colour =
			share >= 100 ? "var(--red-500)" : share >= 80 ? "var(--orange-500)" : "var(--green-500)";
		box.append(
			$('<div style="height: 4px; border-radius: 2px; background: var(--control-bg)"></div>').append(
				$('<div style="height: 4px; border-radius: 2px"></div>').css({
					width: `${share}%`,
					background: colour,
				}),
			),
		);
	}
	return box;
}

// Session

function act(frm, method) {
	return frappe.xcall(`${API}.devices.${method}`, { device: frm.doc.name }).then(() => show_state(frm));
}

function connect(frm) {
	act(frm, "connect").then(() => show_qr(frm));
}

function confirm_log_out(frm) {
	frappe.confirm(__("Forget the login of this number? The next start needs the phone again."), () =>
		act(frm, "log_out"),
	);
}

// The code: asked for again and again while the dialog is open, kept nowhere, gone with the dialog

function show_qr(frm) {
	const dialog = new frappe.ui.Dialog({
		title: __("Connect {0}", [frm.doc.device_name]),
		fields: [{ fieldtype: "HTML", fieldname: "code" }],
	});
	const box = dialog.fields_dict.code.$wrapper.css("text-align", "center");
	let is_open = true;
	const close = () => {
		is_open = false;
		box.empty();
		show_state(frm);
	};
	dialog.onhide = close;
	dialog.show();
	show_text(box, __("Asking for the code…"));
	const ask = () => {
		if (!is_open) return;
		frappe
			.xcall(`${API}.devices.qr`, { device: frm.doc.name })
			.then((answer) => {
				if (!is_open) return;
				if (answer.state === "connected") return connected(dialog);
				answer.image ? show_code(box, answer) : show_text(box, text_of_state(answer.state));
				setTimeout(ask, QR_SECONDS * 1000);
			})
			.catch(() => dialog.hide());
	};
	ask();
}

function show_code(box, code) {
	box.empty();
	box.append(
		$("<img>")
			.attr({ src: code.image, alt: __("Code to scan"), width: 264, height: 264 })
			.css({ background: "white", padding: "12px", "border-radius": "8px" }),
	);
	box.append(
		$("<p></p>").text(__("Open WhatsApp on the phone, then Settings, Linked Devices, Link a Device.")),
	);
	box.append(
		$('<p class="text-muted small"></p>').text(
			__("The code changes every few seconds. Show it to nobody."),
		),
	);
}

function show_text(box, text) {
	box.empty().append($('<p style="padding: 48px 0"></p>').text(text));
}

function text_of_state(state) {
	const text = {
		connecting: __("Connecting: this can take a minute."),
		disconnected: __("The gateway is starting the session…"),
		restricted: __("WhatsApp has restricted this number."),
	};
	return text[state] || text.connecting;
}

function connected(dialog) {
	dialog.hide();
	frappe.show_alert({ message: __("Connected"), indicator: "green" });
}

// Trying it

function ask_test(frm) {
	frappe.prompt(
		[
			{ fieldname: "phone", fieldtype: "Data", label: __("Phone Number"), reqd: 1 },
			{
				fieldname: "text",
				fieldtype: "Data",
				label: __("Text"),
				reqd: 1,
				default: __("This is a test."),
			},
		],
		({ phone, text }) =>
			frappe
				.xcall(`${API}.device_tools.test_message`, { device: frm.doc.name, phone, text })
				.then(() => frappe.show_alert({ message: __("Sent"), indicator: "green" }))
				.finally(() => show_state(frm)),
		__("Send a Test Message"),
		__("Send"),
	);
}

// This device talks to nobody: here a customer's message is made up

function ask_received(frm) {
	frappe.prompt(
		[
			{
				fieldname: "phone",
				fieldtype: "Data",
				label: __("Customer's Phone Number"),
				reqd: 1,
				default: "01001234567",
			},
			{ fieldname: "customer_name", fieldtype: "Data", label: __("Customer's Name") },
			{
				fieldname: "text",
				fieldtype: "Small Text",
				label: __("Text"),
				reqd: 1,
				default: __("Hello, are you open today?"),
			},
		],
		(given) =>
			frappe
				.xcall(`${API}.device_tools.receive_test_message`, { device: frm.doc.name, ...given })
				.then(({ ticket }) => show_received(ticket))
				.finally(() => show_state(frm)),
		__("Receive a Test Message"),
		__("Receive"),
	);
}

function show_received(ticket) {
	const link = `<a href="/app/khalifa-inbox/${encodeURIComponent(ticket)}">${__("Open the conversation")}</a>`;
	frappe.show_alert({ message: `${__("The message has arrived.")} ${link}`, indicator: "green" }, 15);
}

function sync_templates(frm) {
	frappe.xcall(`${API}.device_tools.sync_templates`, { device: frm.doc.name }).then((done) =>
		frappe.show_alert({
			message: __("{0} templates: {1} new, {2} removed", [done.templates, done.new, done.removed]),
			indicator: "green",
		}),
	);
}

function confirm_new_secret(frm) {
	frappe.confirm(__("Make a new webhook address? The present one works for 24 hours more."), () =>
		frm.call("new_webhook_secret").then(({ message }) => show_once(frm, message.url)),
	);
}

function show_once(frm, url) {
	frappe.msgprint({
		title: __("Webhook Address"),
		message: `<p>${__("Copy this address into the gateway now. It is not shown again.")}</p>
			<pre style="white-space: pre-wrap; direction: ltr">${frappe.utils.escape_html(url)}</pre>`,
	});
	frm.reload_doc();
}
