// Small words that the whole page speaks. Data only ever becomes text: nothing here writes HTML.

const API = "khalifa_whatsapp.api";

export function read(method, args = {}) {
	return frappe.call({ method: `${API}.${method}`, args, type: "GET" }).then((answer) => answer.message);
}

export function act(method, args = {}) {
	return frappe.xcall(`${API}.${method}`, args);
}

// Like `act`, but the page itself shows the refusal: the promise fails with what the server said
export function attempt(method, args = {}, type = "POST") {
	return new Promise((resolve, reject) => {
		frappe.call({
			method: `${API}.${method}`,
			args,
			type,
			silent: true,
			callback: (answer) => resolve(answer.message),
			error: (answer) => reject(refusal(answer)),
		});
	});
}

// Like `read`, for what nobody waits for: a failure is no message on the screen
export function look(method, args = {}) {
	return attempt(method, args, "GET");
}

function refusal(answer) {
	const told = answer?.responseJSON || answer || {};
	let text = "";
	try {
		text = JSON.parse(JSON.parse(told._server_messages || "[]")[0]).message;
	} catch {
		text = "";
	}
	return { code: told.code || "", text: plain(text) || __("The server did not answer. Your text is kept; try again.") };
}

function plain(html) {
	return new DOMParser().parseFromString(html || "", "text/html").body.textContent;
}

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
	drawing.append(made("rect", { ...stroke, x: 6, y: 1.5, width: 4, height: 7.5, rx: 2 }), made("path", { ...stroke, d: "M3.5 7.5a4.5 4.5 0 0 0 9 0M8 12v2.5M5.5 14.5h5" }));
	return drawing;
}

// Addresses in a text become links; everything else stays text
const ADDRESS = /https?:\/\/[^\s<>"'）)]+/g;

export function rich(text) {
	const holder = el("span", { dir: "auto", class: "kin-text" });
	let place = 0;
	for (const found of text.matchAll(ADDRESS)) {
		holder.append(text.slice(place, found.index));
		holder.append(el("a", { href: found[0], target: "_blank", rel: "noopener noreferrer nofollow", text: found[0] }));
		place = found.index + found[0].length;
	}
	holder.append(text.slice(place));
	return holder;
}

export function uuid() {
	return crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}

export function clock(at_ms) {
	return new Intl.DateTimeFormat(language(), { hour: "numeric", minute: "2-digit" }).format(at_ms);
}

export function day(at_ms) {
	const today = new Date();
	const then = new Date(at_ms);
	const days = Math.round((midnight(today) - midnight(then)) / 86400000);
	if (days === 0) return __("Today");
	if (days === 1) return __("Yesterday");
	const format = days < 7 ? { weekday: "long" } : { day: "numeric", month: "long", year: "numeric" };
	return new Intl.DateTimeFormat(language(), format).format(then);
}

export function short_time(at_ms) {
	const name = day(at_ms);
	return name === __("Today") ? clock(at_ms) : name;
}

function midnight(moment) {
	return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
}

function language() {
	const lang = frappe.boot.lang || "en";
	return lang === "ar" ? "ar-EG-u-nu-latn" : lang;
}

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
	return el("span", { class: "kin-avatar", style: `--kin-hue: ${hue(name)}`, "aria-hidden": "true", text: initials(name) });
}

export function toast(message, indicator = "orange") {
	frappe.show_alert({ message: frappe.utils.escape_html(message), indicator });
}
