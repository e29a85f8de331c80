// The stand-in's page: WhatsApp Web's contract with whoever drives it, and none of its code. What the server
// says is shown every so often; what is sent is posted to the server, which writes it down.

const LABELS = {
	en: {
		send: "Send",
		write: "Type a message",
		attach: "Attach",
		list: "Chat list",
		unread: "1 unread message",
		menu: "Menu",
		out: "Log out",
		ok: "OK",
		cancel: "Cancel",
		here: "Use here",
		close: "Close",
		read: " Read ",
		more: "Read more",
		other: "WhatsApp is open in another window. Click “Use here” to use it in this window.",
		invalid: "Phone number shared via url is invalid.",
		starting: "Starting chat",
	},
	ar: {
		send: "إرسال",
		write: "اكتب رسالة",
		attach: "إرفاق",
		list: "قائمة الدردشات",
		unread: "رسالة واحدة غير مقروءة",
		menu: "القائمة",
		out: "تسجيل الخروج",
		ok: "حسنًا",
		cancel: "إلغاء",
		here: "الاستخدام هنا",
		close: "إغلاق",
		read: " مقروءة ",
		more: "قراءة المزيد",
		other: "واتساب مفتوح في نافذة أخرى.",
		invalid: "رقم الهاتف الذي تمت مشاركته عبر الرابط غير صالح.",
		starting: "جارٍ بدء الدردشة",
	},
};
const EMOJI =
	/\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier}|\u200D\p{Extended_Pictographic}\uFE0F?)*/gu;
const app = document.getElementById("app");
const over = document.getElementById("over");
let server = {};
let shown = "";
let open = null; // the chat's key
let dialog = null;
let preview = null;
let drawer = false;
let waiting = false; // the box to write in comes late
const pending = []; // bubbles the server does not have (yet)

const label = (name) => LABELS[server.language][name];
const post = (path, body) =>
	fetch(path, { method: "POST", body: JSON.stringify(body) }).then((answer) => answer.json());

function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
		else if (value !== null && value !== undefined) element.setAttribute(name, value);
	}
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

const icon = (name, more = {}) => make("span", { "data-icon": name, ...more });
const chatOf = (key) => server.chats.find((chat) => chat.key === key);
const titleOf = (chat) =>
	chat.name || `\u200e+${chat.phone.slice(0, 2)} ${chat.phone.slice(2, 5)} ${chat.phone.slice(5)}`;

function formatted(text) {
	const whole = make("span", { class: "selectable-text copyable-text", dir: "auto" });
	const inner = make("span");
	for (const [at, part] of text.split(/(\*[^*\n]+\*)/).entries()) {
		const holder = at % 2 ? make("strong") : inner;
		picture(holder, at % 2 ? part.slice(1, -1) : part);
		if (holder !== inner) inner.append(holder);
	}
	whole.append(inner);
	return whole;
}

function picture(holder, text) {
	let from = 0;
	for (const match of text.matchAll(EMOJI)) {
		holder.append(
			text.slice(from, match.index),
			make("img", { alt: match[0], "data-plain-text": match[0], width: 16, height: 16 }),
		);
		from = match.index + match[0].length;
	}
	holder.append(text.slice(from));
}

function bubble(chat, message) {
	const wid = server.ids === "lid" && chat.lid ? `${chat.lid}@lid` : `${chat.phone}@c.us`;
	const id = server.ids === "opaque" ? message.id : `${message.is_own}_${wid}_${message.id}`;
	const isLong = message.text.length > 3000 && !message.expanded;
	const row = make("div", { class: message.is_own ? "message-out" : "message-in", "data-id": id });
	const stamp = `[${message.stamp}] ${message.is_own ? "Shop" : chat.name || "Customer"}: `;
	const body = make("div", { class: "copyable-text", "data-pre-plain-text": stamp });
	if (message.quoted)
		body.append(make("div", { "data-testid": "quoted-message" }, formatted(message.quoted)));
	if (message.kind === "image")
		body.append(make("img", { "data-testid": "image-thumb", width: 40, height: 40 }));
	if (message.kind === "document") body.append(icon("document-refreshed"), make("span", {}, message.file));
	if (message.kind === "voice") body.append(icon("ptt-status"));
	if (message.text) body.append(formatted(isLong ? message.text.slice(0, 3000) : message.text));
	if (isLong)
		body.append(
			make(
				"button",
				{
					"data-testid": "read-more-button",
					onclick: () => {
						expanded.add(message.id);
						setTimeout(render, 100, true);
					},
				},
				label("more"),
			),
		);
	row.append(body);
	if (message.is_own) row.append(tick(message.ack));
	return make("div", { role: "row" }, row);
}
const expanded = new Set();

function tick(ack) {
	if (ack < 0) return icon("msg-error");
	return [
		icon("msg-time"),
		icon("msg-check"),
		icon("msg-dblcheck"),
		icon("msg-dblcheck", { "aria-label": label("read") }),
	][ack];
}

const drafts = {
	get: (chat) => localStorage.getItem(`draft:${chat.key}`) ?? chat.draft,
	set: (key, text) => localStorage.setItem(`draft:${key}`, text),
};

function composer(chat) {
	const box = make("div", {
		contenteditable: "true",
		role: "textbox",
		"data-tab": "10",
		"aria-label": label("write"),
		oninput: () => {
			drafts.set(chat.key, box.innerText);
			button.hidden = !box.innerText.trim();
			if (server.switch_to && server.switch_to !== open) switchTo(server.switch_to, box.innerText);
		},
		onkeydown: (event) => {
			if (event.key === "Enter" && !event.shiftKey) {
				event.preventDefault();
				submit();
			}
		},
		onpaste: (event) => {
			event.preventDefault();
			insert(event.clipboardData.getData("text/plain"));
		},
	});
	const submit = () => {
		const text = (model ? model.text : box.innerText).trim();
		if (!text) return;
		box.replaceChildren();
		drafts.set(chat.key, "");
		button.hidden = true;
		send(chat, { kind: "text", text });
	};
	const button = make(
		"button",
		{ "aria-label": label("send"), onclick: submit },
		icon(server.has_old_icons ? "send" : "wds-ic-send-filled"),
	);
	box.innerText = drafts.get(chat);
	button.hidden = !box.innerText.trim();
	const model = server.editor === "plain" ? null : controlled(box, chat, button);
	const input = (accept, kind) =>
		make("input", { type: "file", accept, hidden: "", onchange: (event) => choose(event, kind) });
	const files = make("span", {});
	const attach = make(
		"button",
		{
			"aria-label": label("attach"),
			onclick: () => files.replaceChildren(input("*", "document"), input("image/*,video/mp4", "image")),
		},
		icon(server.has_old_icons ? "plus" : "plus-rounded"),
	);
	return make("footer", {}, attach, files, box, button);
}

function insert(text) {
	text.split("\n").forEach((line, at) => {
		if (at) document.execCommand("insertLineBreak");
		if (line) document.execCommand("insertText", false, line);
	});
}

// An editor that keeps the text itself, as WhatsApp's does. Keys and pastes it carries out in its own way.
// What a script does to its elements it takes over when that is one line of text, and undoes otherwise; the
// editor "paste" undoes all of it.
function controlled(box, chat, button) {
	const model = { text: drafts.get(chat) };
	const draw = () => {
		const lines = model.text
			.split("\n")
			.flatMap((line) => [make("br"), make("span", { "data-lexical-text": "true" }, line)]);
		box.replaceChildren(make("p", {}, ...(model.text ? lines.slice(1) : [make("br")])));
		button.hidden = !model.text.trim();
	};
	const set = (text) => {
		model.text = text;
		drafts.set(chat.key, text);
		setTimeout(draw, 30);
	};
	const take = (text) => set((getSelection().isCollapsed ? model.text : "") + text);
	box.dataset.lexicalEditor = "true";
	box.addEventListener("beforeinput", (event) => {
		// a key: scripts cause none
		event.preventDefault();
		take(event.inputType.startsWith("delete") ? "" : event.data || "");
	});
	box.addEventListener(
		"input",
		(event) => {
			event.stopImmediatePropagation();
			if (server.editor === "controlled" && event.inputType === "insertText") set(box.textContent);
			else draw();
		},
		true,
	);
	box.addEventListener(
		"paste",
		(event) => {
			event.preventDefault();
			event.stopImmediatePropagation();
			take(event.clipboardData.getData("text/plain"));
		},
		true,
	);
	draw();
	return model;
}

function switchTo(key, text) {
	drafts.set(key, text);
	open = key;
	render(true);
}

function choose(event, kind) {
	const file = event.target.files[0];
	file.arrayBuffer().then((bytes) => {
		const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
		preview = { kind, file: file.name, content: btoa(binary) };
		render(true);
	});
}

function previewOf(chat) {
	const box = make("div", { contenteditable: "true", role: "textbox", "data-tab": "undefined" });
	const submit = () => {
		const what = { ...preview, text: box.innerText.trim() };
		preview = null;
		send(chat, what);
	};
	return make(
		"div",
		{ id: "preview" },
		make("span", {}, preview.file),
		box,
		make(
			"div",
			{ role: "button", "aria-label": label("send"), onclick: submit },
			icon("wds-ic-send-filled"),
		),
	);
}

function send(chat, what) {
	const id = `3EB0${Array.from(crypto.getRandomValues(new Uint8Array(8)), (n) =>
		n.toString(16).padStart(2, "0"),
	)
		.join("")
		.toUpperCase()}`;
	const message = { id, is_own: true, ack: 0, text: "", stamp: server.stamp, ...what };
	pending.push({ key: chat.key, message });
	post("/api/send", { id, phone: chat.phone, ...what }).then((answer) => {
		if (answer.hides) message.text = "\u0000";
		if (answer.logged_out) location.href = "/";
	});
	render(true);
}

function main(chat) {
	const header = make(
		"header",
		{
			onclick: () => {
				drawer = true;
				render(true);
			},
		},
		make("span", { title: titleOf(chat), dir: "auto" }, titleOf(chat)),
	);
	const known = new Set(chat.messages.map((message) => message.id));
	const unsent = pending.filter(
		(one) => one.key === chat.key && !known.has(one.message.id) && one.message.text !== "\u0000",
	);
	const messages = [...chat.messages, ...unsent.map((one) => one.message)].map((one) =>
		bubble(chat, { ...one, expanded: expanded.has(one.id) }),
	);
	const panel = make("div", { id: "main" }, header, make("div", { id: "messages" }, ...messages));
	if (!waiting) panel.append(composer(chat));
	if (preview) panel.append(previewOf(chat));
	return panel;
}

function side() {
	const rows = server.chats
		.filter((chat) => chat.is_listed)
		.map((chat) =>
			make(
				"div",
				{ role: "listitem", onclick: () => enter(chat.key) },
				chat.is_group ? icon("default-group") : null,
				make("span", { title: titleOf(chat), dir: "auto" }, titleOf(chat)),
				chat.unread ? make("span", { "aria-label": label("unread") }, String(chat.unread)) : null,
			),
		);
	const menu = make(
		"header",
		{},
		make(
			"button",
			{
				"aria-label": label("menu"),
				onclick: () => {
					over.dataset.menu = "1";
					render(true);
				},
			},
			icon("menu"),
		),
	);
	return make(
		"div",
		{ id: "side" },
		menu,
		make("div", { id: "pane-side", "aria-label": label("list") }, ...rows),
	);
}

function enter(key) {
	open = key;
	drawer = false;
	post("/api/read", { key });
	render(true);
}

function overlay() {
	over.replaceChildren();
	if (server.state === "conflict") {
		over.append(
			make(
				"div",
				{ role: "dialog" },
				make("p", {}, label("other")),
				make("button", {}, label("close")),
				make("button", { onclick: () => post("/api/use_here", {}).then(refresh) }, label("here")),
			),
		);
	} else if (dialog) {
		over.append(
			make(
				"div",
				{ role: "dialog" },
				make("p", {}, label(dialog)),
				dialog === "starting" ? make("progress") : null,
				make(
					"button",
					{
						onclick: () => {
							dialog = null;
							render(true);
						},
					},
					label(dialog === "starting" ? "cancel" : "ok"),
				),
			),
		);
	} else if (over.dataset.menu === "1") {
		over.append(
			make(
				"ul",
				{},
				make(
					"li",
					{
						role: "menuitem",
						onclick: () => {
							over.dataset.menu = "2";
							render(true);
						},
					},
					label("out"),
				),
			),
		);
	} else if (over.dataset.menu === "2") {
		over.append(
			make(
				"div",
				{ role: "dialog" },
				make("button", {}, label("cancel")),
				make(
					"button",
					{
						onclick: () => {
							over.dataset.menu = "";
							post("/api/log_out", {}).then(refresh);
						},
					},
					label("out"),
				),
			),
		);
	}
}

function code() {
	const holder = make(
		"div",
		{ "data-ref": server.code },
		make("canvas", { width: 200, height: 200, "aria-label": "Scan this QR code to link a device!" }),
	);
	if (server.has_code_ended)
		holder.append(make("button", { onclick: () => post("/api/renew", {}).then(refresh) }, "⟳"));
	return holder;
}

function render(isForced = false) {
	const now = JSON.stringify(server);
	if (!isForced && now === shown) return;
	shown = now;
	const held =
		document.activeElement && document.activeElement.dataset.tab === "10" ? document.activeElement : null;
	document.documentElement.lang = server.language;
	document.documentElement.dir = server.language === "ar" ? "rtl" : "ltr";
	overlay();
	if (server.state === "qr") app.replaceChildren(code());
	else if (server.state === "loading") app.replaceChildren(make("progress"));
	else if (server.state === "blocked")
		app.replaceChildren(make("h1", {}, "WhatsApp works with Google Chrome 100+"));
	else if (server.state === "blank" || server.state === "conflict") app.replaceChildren();
	else ready(held);
}

function ready(held) {
	const chat = open ? chatOf(open) : null;
	const alert = server.alert ? icon(server.alert) : null;
	const old = document.getElementById("main");
	app.replaceChildren(
		...[alert, side(), chat ? main(chat) : null, chat && drawer ? card(chat) : null].filter(Boolean),
	);
	if (held && old && chat) app.querySelector("#main [data-tab='10']")?.focus();
	const list = document.getElementById("messages");
	if (list) list.scrollTop = list.scrollHeight;
}

function card(chat) {
	const phone = `+${chat.phone.slice(0, 2)} ${chat.phone.slice(2, 5)} ${chat.phone.slice(5)}`;
	return make(
		"section",
		{ id: "drawer" },
		make(
			"button",
			{
				onclick: () => {
					drawer = false;
					render(true);
				},
			},
			icon("x"),
		),
		make("span", {}, phone),
	);
}

async function go(address) {
	const phone = new URL(address, location.href).searchParams.get("phone");
	if (!phone) return;
	dialog = "starting";
	render(true);
	const answer = await post("/api/open", { phone });
	await new Promise((resolve) => setTimeout(resolve, answer.starting_ms));
	dialog = answer.key ? null : "invalid";
	drawer = false;
	if (answer.key) {
		open = answer.key;
		waiting = answer.late_ms > 0;
		if (waiting)
			setTimeout(() => {
				waiting = false;
				render(true);
			}, answer.late_ms);
	}
	await refresh();
	render(true);
}

document.addEventListener("click", (event) => {
	const link = event.target.closest("a[href]");
	if (!link || server.reloads) return;
	event.preventDefault();
	go(link.href);
});

document.addEventListener("keydown", (event) => {
	if (event.key !== "Escape") return;
	dialog = null;
	drawer = false;
	over.dataset.menu = "";
	render(true);
});

async function refresh() {
	server = await fetch("/api/state").then((answer) => answer.json());
	render();
}

(async () => {
	await refresh();
	if (location.pathname === "/send" && server.state === "ready") go(location.href);
	while (true) {
		await new Promise((resolve) => setTimeout(resolve, 100));
		try {
			await refresh();
		} catch {
			/* the server is gone: the test is over */
		}
	}
})();
