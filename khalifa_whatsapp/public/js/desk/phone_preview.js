// A message as the customer's phone shows it: in the forms of templates and quick replies, and in the inbox before
// one is sent. Whatever is written in it is only ever text.

import { pieces } from "./formatting.js";

const STYLE = {
	phone: "background: #efe7dd; border-radius: 10px; padding: 14px 12px; max-width: 360px;",
	bubble:
		"background: #fff; color: #111b21; border-radius: 8px; padding: 6px; max-width: 320px; " +
		"box-shadow: 0 1px 1px rgba(0, 0, 0, .15); font-size: 14px; line-height: 1.45; overflow-wrap: anywhere; text-align: start;",
	media: "width: 100%; max-height: 170px; object-fit: cover; border-radius: 6px; display: block;",
	tile:
		"background: #d9dee0; color: #54656f; border-radius: 6px; padding: 26px 8px; text-align: center; " +
		"font-size: 12px;",
	header: "font-weight: 600; padding: 4px 4px 0;",
	body: "white-space: pre-wrap; padding: 4px;",
	footer: "color: #667781; font-size: 12px; padding: 0 4px 4px;",
	button:
		"border-top: 1px solid #e9edef; color: #0078b5; text-align: center; padding: 8px 4px; " +
		"font-size: 14px;",
	blank: "background: #fff3cd; border-radius: 3px; padding: 0 2px;",
};
const ICONS = { URL: "↗", PHONE_NUMBER: "✆", COPY_CODE: "⧉", QUICK_REPLY: "↩" };
const FILES = { IMAGE: "Picture", VIDEO: "Film", DOCUMENT: "Document" };

// `message`: header_kind, header_file, header, body, footer, buttons [{kind, text}], is_rtl; `body` may be pieces
// ({text, blank}) of which blanks stand out
export function phone_preview(message) {
	const bubble = made("div", STYLE.bubble, [
		header(message),
		made("div", STYLE.body, body(message.body)),
		message.footer ? made("div", STYLE.footer, [message.footer]) : "",
		...(message.buttons || []).map(button),
	]);
	bubble.dir = message.is_rtl ? "rtl" : "ltr";
	const phone = made("div", STYLE.phone, [bubble]);
	phone.className = "khalifa-phone";
	return phone;
}

function made(kind, style, children = []) {
	const node = document.createElement(kind);
	node.style.cssText = style;
	node.append(...children.filter((child) => child !== ""));
	return node;
}

function header({ header_kind, header_file, header: text }) {
	const kind = (header_kind || "").toUpperCase();
	if (kind === "IMAGE" && header_file) {
		const picture = made("img", STYLE.media);
		picture.src = header_file;
		picture.alt = __("Picture");
		return picture;
	}
	if (FILES[kind]) return made("div", STYLE.tile, [file_name(header_file) || __(FILES[kind])]);
	return text ? made("div", STYLE.header, marked(text)) : "";
}

const file_name = (url) => decodeURIComponent((url || "").split("/").pop());

function body(text) {
	if (!Array.isArray(text)) return marked(text || "");
	return text.flatMap((part) =>
		part.blank ? [made("span", STYLE.blank, [part.shown || `{${part.blank}}`])] : marked(part.text),
	);
}

function marked(text) {
	return pieces(text).map((piece) =>
		piece.tag ? made(piece.tag, "", [piece.text]) : document.createTextNode(piece.text),
	);
}

function button({ kind, text }) {
	const label = kind === "COPY_CODE" ? __("Copy the code") : text;
	const sign = made("span", "margin-inline-end: 6px;", [ICONS[kind] || ""]);
	return made("div", STYLE.button, [sign, label || "…"]);
}
