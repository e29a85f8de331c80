// One item of a thread: a bubble, a note, or a line in the middle. Whatever a customer wrote is text and
// nothing else.

import { identity_of } from "./people.js";
import { clock, el, icon, rich } from "./util.js";

const TICKS = {
	Queued: "🕓",
	Sending: "🕓",
	Sent: "✓",
	Delivered: "✓✓",
	Read: "✓✓",
	Played: "✓✓",
	Failed: "!",
	Unknown: "?",
};
const EMOJI = ["👍", "❤️", "😂", "🙏", "😮", "😢"];

export function event_line(item) {
	return el(
		"div",
		{ class: "kin-event", "data-at": item.at_ms },
		el("span", { text: `${item.text} · ${clock(item.at_ms)}` }),
	);
}

export function day_line(text) {
	return el("div", { class: "kin-day", role: "separator" }, el("span", { text }));
}

export function bubble(item, thread) {
	const side = item.direction === "Outgoing" ? "out" : "in";
	const kind = item.is_note ? "note" : side;
	const box = el("div", {
		class: `kin-bubble ${kind} ${item.status}`,
		"data-name": item.name,
		"data-at": item.sent_ms,
		tabindex: "-1",
	});
	if (kind !== "in") box.append(author(item));
	if (item.reply_to) box.append(quote(item.reply_to, thread));
	box.append(...content(item, thread));
	box.append(foot(item));
	if (item.reactions.length) box.append(reactions(item.reactions));
	if (["Failed", "Unknown"].includes(item.status) && side === "out") box.append(trouble(item, thread));
	if (item.status === "Queued" && item.next_retry_ms)
		box.append(
			el("div", {
				class: "kin-trouble warn",
				text: `${__("Tried {0} times; tried again by itself.", [item.attempts])} ${item.error_text || ""}`,
			}),
		);
	if (!item.is_note && !item.is_revoked) box.append(tools(item, thread));
	return el("div", { class: `kin-row ${kind}` }, box);
}

function author(item) {
	const name = item.sender_name || (item.origin === "Phone" ? __("From the phone") : __("Automatic"));
	const text = item.on_behalf_of_name ? __("{0}, on behalf of {1}", [name, item.on_behalf_of_name]) : name;
	return el(
		"div",
		{ class: "kin-author" },
		el("bdi", { text }),
		item.is_note ? el("span", { class: "kin-tag", text: __("Note") }) : "",
	);
}

function quote(quoted, thread) {
	return el(
		"button",
		{ class: "kin-quote", onclick: () => thread.jump_to(quoted.name) },
		el("bdi", { class: "kin-quote-who", text: quoted.sender_name || __("Customer") }),
		el("bdi", { text: quoted.body }),
	);
}

// What it says was put together by the server: words of people, and sentences of ours in the reader's
// language
function content(item, thread) {
	return [item.file ? file(item, thread) : "", ...item.parts.map((part) => PARTS[part.kind](part))];
}

const PARTS = {
	text: (part) => rich(part.text),
	note: (part) => el("div", { class: "kin-fact-line", text: part.label }),
	field: (part) => fact(part.text, part.value),
	fact: (part) => fact(part.label, part.value),
	place: (part) => place(part),
	card: (part) =>
		boxed(
			"customer",
			el("bdi", { class: "kin-name", text: part.text }),
			...part.lines.map((text) => el("bdi", { text })),
		),
	ad: (part) =>
		boxed(
			"tag",
			el("div", { class: "kin-muted", text: part.label }),
			el("bdi", { class: "kin-name", text: part.text }),
			...part.lines.map(rich),
		),
};

function fact(name, value) {
	return el(
		"div",
		{ class: "kin-fact" },
		el("bdi", { class: "kin-muted", text: name }),
		el("bdi", { dir: "auto", text: value }),
	);
}

function boxed(drawing, ...lines) {
	return el("div", { class: "kin-file" }, icon(drawing), el("div", { class: "kin-box" }, ...lines));
}

function file(item, thread) {
	const { url, mime_type, name } = item.file;
	if (!url) return absent_file(item, thread);
	const family = (mime_type || "").split("/")[0];
	if (family === "image" && !mime_type.includes("svg")) {
		return el(
			"a",
			{ href: url, target: "_blank", rel: "noopener", class: "kin-media" },
			el("img", { src: url, alt: name || __("Picture"), loading: "lazy" }),
		);
	}
	if (family === "audio")
		return el("audio", { src: url, controls: true, preload: "none", class: "kin-audio" });
	if (family === "video")
		return el("video", { src: url, controls: true, preload: "none", class: "kin-media" });
	return el(
		"a",
		{ href: url, target: "_blank", rel: "noopener", class: "kin-file" },
		icon("file"),
		el("bdi", { text: name || __("File") }),
	);
}

function absent_file(item, thread) {
	const { name, state, error } = item.file;
	const state_text =
		state === "Failed"
			? __("The file could not be fetched: {0}", [error])
			: error
				? __("The file is not here yet: {0}", [error])
				: __("The file is being fetched…");
	const what = el(
		"div",
		{ class: "kin-file" },
		icon("attachment"),
		el("span", {}, el("bdi", { text: name || item.label }), ` · ${state_text}`),
	);
	if (!error && state !== "Failed") return what;
	return el(
		"div",
		{},
		what,
		el(
			"button",
			{ class: "btn btn-xs btn-default kin-fetch", onclick: () => thread.fetch_again(item) },
			__("Fetch Again"),
		),
	);
}

function place(part) {
	const [latitude, longitude] = part.point;
	return el(
		"a",
		{
			class: "kin-file",
			href: `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`,
			target: "_blank",
			rel: "noopener noreferrer",
		},
		icon("map"),
		el(
			"div",
			{ class: "kin-box" },
			el("div", { class: "kin-muted", text: part.label }),
			el("bdi", { text: part.text || `${latitude}, ${longitude}` }),
		),
	);
}

function foot(item) {
	const edited = item.is_edited ? el("span", { text: __("edited") }) : "";
	const tick =
		item.direction === "Outgoing" && !item.is_note
			? el("span", {
					class: `kin-tick ${item.status}`,
					title: __(item.status),
					"aria-label": __(item.status),
					text: TICKS[item.status] || "",
				})
			: "";
	return el(
		"div",
		{ class: "kin-foot" },
		item.is_note ? "" : identity_of(item),
		edited,
		el("time", { text: clock(item.sent_ms) }),
		tick,
	);
}

function reactions(list) {
	return el(
		"div",
		{ class: "kin-reactions" },
		...list.map((one) => el("span", { text: one.count > 1 ? `${one.emoji} ${one.count}` : one.emoji })),
	);
}

function trouble(item, thread) {
	const is_failed = item.status === "Failed";
	const state_text = is_failed
		? __("It was not sent: {0}", [item.error_text])
		: __("It may not have been sent. Look at the phone before you send it again.");
	const box = el(
		"div",
		{ class: `kin-trouble ${is_failed ? "bad" : "warn"}` },
		el("span", { text: state_text }),
	);
	if (item.resent_as) box.append(el("em", { text: __("Sent again below.") }));
	else if (thread.head.rights.reply)
		box.append(
			el(
				"button",
				{ class: "btn btn-xs btn-default", onclick: () => thread.send_again(item) },
				__("Send Again"),
			),
		);
	if (!is_failed && !item.resent_as && thread.head.rights.settle) {
		box.append(
			el(
				"button",
				{ class: "btn btn-xs btn-default", onclick: () => thread.settle(item, "confirm_message") },
				__("It Was Sent"),
			),
		);
		box.append(
			el(
				"button",
				{ class: "btn btn-xs btn-default", onclick: () => thread.settle(item, "discard_message") },
				__("It Was Not Sent"),
			),
		);
	}
	return box;
}

function tools(item, thread) {
	const box = el("div", { class: "kin-tools" });
	if (thread.can.reply_to && thread.head.rights.reply) {
		box.append(
			el(
				"button",
				{ title: __("Reply"), "aria-label": __("Reply"), onclick: () => thread.quote(item) },
				"↩",
			),
		);
	}
	if (thread.can.reaction && thread.head.rights.reply && item.direction === "Incoming") {
		box.append(
			...EMOJI.map((emoji) =>
				el(
					"button",
					{
						class: "kin-emoji",
						"aria-label": __("React with {0}", [emoji]),
						onclick: () => thread.react(item, emoji),
					},
					emoji,
				),
			),
		);
	}
	if (item.status === "Queued" && thread.head.rights.settle) {
		box.append(
			el(
				"button",
				{ title: __("Take Back"), onclick: () => thread.settle(item, "discard_message") },
				"✕",
			),
		);
	}
	return box;
}
