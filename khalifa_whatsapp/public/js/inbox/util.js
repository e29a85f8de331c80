// Small helpers that the whole page uses. Data only ever becomes text: nothing here writes HTML.

import { Times } from "./time.js";

export { attempt, look, read, upload } from "../desk/calls.js";

export function el(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value === null || value === undefined || value === false) continue;
		if (name === "text") node.textContent = value;
		else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
		else node.setAttribute(name, value === true ? "" : value);
	}
	node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
	return node;
}

export function icon(name, size = "sm") {
	const holder = el("span", { class: "kin-icon", "aria-hidden": "true" });
	holder.innerHTML = frappe.utils.icon(name, size); // Desk's own drawing: the name is ours
	return holder;
}

// A microphone: Desk has none among its drawings, and not every screen has the sign in its letters
export function microphone() {
	const made = (kind, given) => {
		const node = document.createElementNS("http://www.w3.org/2000/svg", kind);
		for (const [name, value] of Object.entries(given)) node.setAttribute(name, value);
		return node;
	};
	const stroke = { fill: "none", stroke: "currentColor", "stroke-linecap": "round" };
	const drawing = made("svg", { class: "icon icon-sm", viewBox: "0 0 16 16", "aria-hidden": "true" });
	drawing.append(
		made("rect", { ...stroke, x: 6, y: 1.5, width: 4, height: 7.5, rx: 2 }),
		made("path", { ...stroke, d: "M3.5 7.5a4.5 4.5 0 0 0 9 0M8 12v2.5M5.5 14.5h5" }),
	);
	return drawing;
}

// Addresses in a text become links; everything else stays text
const ADDRESS = /https?:\/\/[^\s<>"'）)]+/g;

export function rich(text) {
	const holder = el("span", { dir: "auto", class: "kin-text" });
	let place = 0;
	for (const match of text.matchAll(ADDRESS)) {
		holder.append(text.slice(place, match.index));
		holder.append(
			el("a", {
				href: match[0],
				target: "_blank",
				rel: "noopener noreferrer nofollow",
				text: match[0],
			}),
		);
		place = match.index + match[0].length;
	}
	holder.append(text.slice(place));
	return holder;
}

export function uuid() {
	return crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}

// The page sets the server's clock when it knows it
export const times = new Times({
	zone: frappe.boot.time_zone?.user || frappe.boot.time_zone?.system || undefined,
	language: frappe.boot.lang === "ar" ? "ar-EG-u-nu-latn" : (frappe.boot.lang || "en").replace("_", "-"),
	now: () => Date.now(),
	texts: { today: __("Today"), yesterday: __("Yesterday") },
});
export const clock = (at_ms) => times.clock(at_ms);
export const day = (at_ms) => times.day(at_ms);
export const short_time = (at_ms) => times.short(at_ms);

export function span(ms) {
	const minutes = Math.max(0, Math.floor(ms / 60000));
	if (minutes < 60) return __("{0} min", [minutes]);
	const hours = Math.floor(minutes / 60);
	return hours < 48 ? __("{0} h {1} min", [hours, minutes % 60]) : __("{0} days", [Math.floor(hours / 24)]);
}

export function initials(name) {
	return [...(name || "?").trim()].slice(0, 1).join("").toUpperCase();
}

export function hue(name) {
	let sum = 0;
	for (const char of name || "") sum = (sum * 31 + char.codePointAt(0)) % 360;
	return sum;
}

export function avatar(name) {
	return el("span", {
		class: "kin-avatar",
		style: `--kin-hue: ${hue(name)}`,
		"aria-hidden": "true",
		text: initials(name),
	});
}

export function toast(message, indicator = "orange") {
	frappe.show_alert({ message: frappe.utils.escape_html(message), indicator });
}
