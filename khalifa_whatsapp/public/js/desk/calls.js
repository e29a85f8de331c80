// The one way from our pages to the server. Every call ends: with an answer, or with a refusal with a text
// (`Refusal`), also when the network is away, nobody answers, or something else than our server does. Desk's
// own `frappe.call` ends in no way at all without a network, and waits for ever for a server that hangs.

import { NO_ANSWER, Refusal, SIGNED_OUT, outcome } from "./outcome.js";

const API = "/api/method/khalifa_whatsapp.api";
const PATIENCE = 20; // seconds
const SLOWEST = 20000; // bytes in a second that an upload must make

// For what somebody waits for
export function read(method, args = {}) {
	return call(method, args, { type: "GET" });
}

// The promise fails with a refusal, which the page shows where it belongs
export function attempt(method, args = {}, type = "POST") {
	return call(method, args, { type });
}

// For what nobody waits for
export function look(method, args = {}) {
	return call(method, args, { type: "GET" });
}

export function upload(method, form, size) {
	return send(
		`${API}.${method}`,
		{ method: "POST", body: form, headers: headers() },
		PATIENCE + size / SLOWEST,
	);
}

function call(method, args, { type }) {
	const given = new URLSearchParams();
	for (const [name, value] of Object.entries(args))
		if (value !== null && value !== undefined) given.append(name, value);
	if (type === "GET") return send(`${API}.${method}?${given}`, { headers: headers() });
	return send(`${API}.${method}`, { method: type, body: given, headers: headers() });
}

function headers() {
	return {
		Accept: "application/json",
		"X-Frappe-CSRF-Token": frappe.csrf_token,
		"X-Requested-With": "XMLHttpRequest",
	};
}

async function send(url, request, seconds = PATIENCE) {
	const stop = new AbortController();
	const timer = setTimeout(() => stop.abort(), seconds * 1000);
	const result = await answered(url, { ...request, cache: "no-store", signal: stop.signal });
	clearTimeout(timer);
	if (result instanceof Refusal) throw result;
	return result;
}

// Both the answer's head and its body may never come
async function answered(url, request) {
	try {
		const answer = await fetch(url, request);
		const result = outcome({ status: answer.status, ok: answer.ok, body: await answer.text() }, texts());
		if (is_signed_out(answer, result)) return new Refusal(SIGNED_OUT, texts().signed_out);
		return result instanceof Refusal
			? new Refusal(result.code, plain(result.text), result.is_unknown)
			: result;
	} catch {
		// no network, no name, no patience left: fetch tells nothing apart
		return new Refusal(NO_ANSWER, texts().no_answer, true);
	}
}

// A session that was ended elsewhere: the server takes us for a guest, and says so in a cookie only
function is_signed_out(answer, result) {
	return (
		answer.status === 403 && result instanceof Refusal && /(^|; )user_id=Guest(;|$)/.test(document.cookie)
	);
}

// Desk writes the server's sentences as HTML; here they are text
function plain(html) {
	return new DOMParser().parseFromString(html, "text/html").body.textContent;
}

function texts() {
	return {
		no_answer: __("The server did not answer. Try again."),
		refused: __("The server refused it."),
		signed_out: __("You are signed out. Sign in again in another tab, then load this page again."),
		old_page: __("This page is out of date. Load it again."),
		too_large: __("The file is too large for the server."),
	};
}
