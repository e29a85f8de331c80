// What the driver does inside WhatsApp's page, one action per call: (places, action, ...arguments).
// An action runs to its end before the page can change again. So the last look before a message is sent, and
// the click that sends it, are one action: nothing can come between.

const [PLACES, ACTION, ...ARGUMENTS] = arguments;
const MARKS = { STRONG: "*", B: "*", EM: "_", I: "_", DEL: "~", S: "~", CODE: "```" };
const BIDI = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

const isShown = (element) => element.getClientRects().length > 0;

function all(name, root = document) {
	for (const [by, value] of PLACES[name]) {
		const elements = by === "xpath" ? byPath(value, root) : [...root.querySelectorAll(value)];
		if (elements.length) return elements;
	}
	return [];
}

function byPath(path, root) {
	const snapshot = document.evaluate(path, root, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
	return Array.from({ length: snapshot.snapshotLength }, (_, at) => snapshot.snapshotItem(at));
}

const one = (name, root) => all(name, root)[0] || null;
const has = (name, root) => all(name, root).some(isShown);

// The text as it was written: emoji are pictures, line breaks and styles are elements.
function text_of(node) {
	if (node.nodeType === Node.TEXT_NODE) return node.data;
	if (node.nodeType !== Node.ELEMENT_NODE) return "";
	if (node.tagName === "IMG") return node.dataset.plainText || node.alt || "";
	if (node.tagName === "BR") return "\n";
	let text = "";
	for (const child of node.childNodes) {
		if (isBlock(child) && text && !text.endsWith("\n")) text += "\n";
		text += text_of(child);
		if (isBlock(child) && child.nextSibling && !text.endsWith("\n")) text += "\n";
	}
	const mark = MARKS[node.tagName];
	return mark ? mark + text + mark : text;
}

const isBlock = (node) => node.nodeName === "DIV" || node.nodeName === "P";
const plain = (text) =>
	text
		.replace(/\u00a0/g, " ")
		.replace(/\r\n?/g, "\n")
		.trim();

function digitsOf(text) {
	const clean = text.replace(BIDI, "").replace(/\u00a0/g, " ");
	return (clean.match(/\+\d[\d ().-]{5,24}\d/g) || []).map((one) => one.replace(/\D/g, ""));
}

// Who the open chat is with, as far as the chat itself shows it: its title, and the chat's name in its
// messages' ids.
function chat() {
	const header = one("header");
	const title = header && one("title", header);
	const named = all("bubble").map((row) => /^(?:true|false)_([^_\s]+@[a-z.]+)_/.exec(row.dataset.id || ""));
	return {
		title: title ? (title.getAttribute("title") || text_of(title)).replace(BIDI, "").trim() : "",
		wids: [...new Set(named.filter(Boolean).map((match) => match[1]))].sort(),
	};
}

function bubble(row) {
	const texts = all("body", row).filter(
		(text) => !all("quoted", row).some((quoted) => quoted.contains(text)),
	);
	const stamp = row.matches("[data-pre-plain-text]") ? row : one("stamp", row);
	return {
		id: row.dataset.id || "",
		is_own: isOwn(row),
		text: texts.length ? plain(text_of(texts[texts.length - 1])) : "",
		has_text: texts.length > 0,
		tick: ["failed", "read", "delivered", "sent", "clock"].find((tick) => one(tick, row)) || "",
		media: ["voice", "video", "document", "image"].find((kind) => one(kind, row)) || "",
		stamp: (stamp && stamp.getAttribute("data-pre-plain-text")) || "",
	};
}

function isOwn(row) {
	if (/^(true|false)_/.test(row.dataset.id || "")) return row.dataset.id.startsWith("true_");
	if (row.matches(".message-out") || row.querySelector(".message-out")) return true;
	return (
		!(row.matches(".message-in") || row.querySelector(".message-in")) &&
		Boolean(row.closest(".message-out"))
	);
}

function selectAll(box) {
	box.focus();
	const range = document.createRange();
	range.selectNodeContents(box);
	const selection = getSelection();
	selection.removeAllRanges();
	selection.addRange(range);
}

function box(name) {
	const shown = all(name).filter(isShown);
	return shown[shown.length - 1] || null;
}

function isUnread(row) {
	if (one("unread", row)) return true;
	return [...row.querySelectorAll("span[aria-label]")].some((mark) =>
		/^[\d٠-٩]{1,4}$/.test(mark.textContent.trim()),
	);
}

const rowTitle = (row) => {
	const title = one("row_title", row);
	return title ? title.title.replace(BIDI, "").trim() : "";
};

// The button that sends: of the chat, or of the preview of a file, which lies over it.
function sender(isFile) {
	const icons = isFile ? all("preview_send").filter((icon) => !icon.closest("#main footer")) : all("send");
	const icon = icons.filter(isShown).pop();
	return icon ? icon.closest("button, [role=button]") || icon : null;
}

const actions = {
	look() {
		const seen = {};
		for (const name of ["chats", "code", "pairing", "blocked", "offline", "phone_offline", "loading"])
			seen[name] = has(name);
		const dialog = all("dialog").filter(isShown).pop();
		seen.buttons = dialog ? all("button", dialog).filter(isShown).length : 0;
		seen.is_busy = Boolean(dialog && one("busy", dialog));
		seen.conflict = has("conflict") || (seen.buttons === 2 && !seen.chats && !seen.code && !seen.pairing);
		seen.composer = has("composer");
		seen.renew = has("code_renew");
		return seen;
	},

	code() {
		const canvas = one("code");
		const holder = (canvas && canvas.closest("[data-ref]")) || one("code_holder");
		return holder ? holder.dataset.ref : "";
	},

	chat,

	// The app follows a link within itself if it can; otherwise the browser loads the page anew.
	follow(address) {
		const link = document.createElement("a");
		link.href = address;
		document.body.append(link);
		link.click();
		link.remove();
	},

	element: (name) => box(name),

	file_input: (name) => one(name), // never shown

	// The rightmost (last) button of the topmost dialog is the one that goes on.
	dialog_button() {
		const dialog = all("dialog").filter(isShown).pop();
		return (dialog && all("button", dialog).filter(isShown).pop()) || null;
	},

	phones: () =>
		has("drawer")
			? digitsOf(
					all("drawer")
						.filter(isShown)
						.map((one) => one.innerText)
						.join("\n"),
				)
			: null,

	drawer_close() {
		const drawer = all("drawer").find(isShown);
		const icon = drawer && one("drawer_close", drawer);
		return icon ? icon.closest("button, [role=button]") || icon : null;
	},

	written: (name) => {
		const field = box(name);
		return field ? plain(text_of(field)) : null;
	},

	clear(name) {
		const field = box(name);
		if (!field) return;
		selectAll(field);
		document.execCommand("delete");
	},

	type(name, text) {
		const field = box(name);
		if (!field) return;
		selectAll(field);
		text.split("\n").forEach((line, at) => {
			if (at) document.execCommand("insertLineBreak");
			if (line) document.execCommand("insertText", false, line);
		});
	},

	paste(name, text) {
		const field = box(name);
		if (!field) return;
		selectAll(field);
		const data = new DataTransfer();
		data.setData("text/plain", text);
		field.dispatchEvent(
			new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
		);
	},

	// Look once more and send, or say why not: only after "pressed" can anything have gone.
	press(name, text, seen, isFile) {
		const now = chat();
		const isHidden = isFile && !now.title && !now.wids.length; // the preview may take the chat's place
		if (!isHidden && (now.title !== seen.title || now.wids.join() !== seen.wids.join())) return "chat";
		const field = box(name);
		if ((field || text) && (!field || plain(text_of(field)) !== text)) return "text";
		if (all("dialog").some((dialog) => isShown(dialog) && !(isFile && dialog.contains(field))))
			return "dialog";
		const button = sender(isFile);
		if (!button || button.disabled || button.getAttribute("aria-disabled") === "true") return "button";
		button.click();
		return "pressed";
	},

	previews: () => Boolean(sender(true)),

	expand() {
		const buttons = all("more").filter(isShown);
		buttons.forEach((button) => button.click());
		return buttons.length;
	},

	bubbles: (limit) => all("bubble").slice(-limit).map(bubble),

	rows: () =>
		all("row").map((row) => ({
			title: rowTitle(row),
			is_unread: isUnread(row),
			is_group: Boolean(one("group", row)),
		})),

	row: (title, isWantedUnread) =>
		all("row").find((row) => rowTitle(row) === title && (!isWantedUnread || isUnread(row))) || null,

	minutes: () => new Date().getTimezoneOffset(),
};

return actions[ACTION](...ARGUMENTS);
