// Files that people bring: chosen, pasted, dropped, or spoken. Nothing leaves before it was shown and confirmed.

import { attempt, el, icon, microphone, toast, uuid } from "./util.js";

const UPLOAD = "/api/method/khalifa_whatsapp.api.media.upload";
const RECORDED = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"]; // of which the server makes a voice message

export class Attachments {
	constructor(composer) {
		this.composer = composer;
		this.input = el("input", { type: "file", hidden: true, onchange: () => this.bring(this.input.files[0]) });
		this.voice_button = el("button", { class: "btn btn-sm kin-tool", title: __("Record a Voice Message"), "aria-label": __("Record a Voice Message"), onclick: () => this.record() }, microphone());
	}

	choose() {
		this.input.value = "";
		this.input.click();
	}

	pasted(event) {
		const file = [...(event.clipboardData?.files || [])][0];
		if (!file) return;
		event.preventDefault();
		this.bring(file);
	}

	listen(area) {
		area.addEventListener("dragover", (event) => event.preventDefault());
		area.addEventListener("drop", (event) => {
			event.preventDefault();
			const file = event.dataTransfer?.files[0];
			if (file) this.bring(file);
		});
	}

	bring(file, is_voice = false) {
		if (!file || !this.composer.ticket) return;
		if (!this.composer.may_write) return toast(__("Files can't be sent here now."));
		const most = this.composer.can.max_media_bytes;
		if (file.size > most) return toast(__("The file is larger than {0} MB.", [Math.round(most / 1048576)]), "red");
		this.preview(file, is_voice);
	}

	preview(file, is_voice) {
		const dialog = new frappe.ui.Dialog({
			title: __("Send a File"),
			fields: [{ fieldtype: "HTML", fieldname: "shown" }, { fieldtype: "Small Text", fieldname: "caption", label: __("Caption"), hidden: is_voice }],
			primary_action_label: __("Send"),
			primary_action: ({ caption }) => this.send(file, is_voice, caption || "", dialog),
		});
		const box = dialog.fields_dict.shown.$wrapper[0];
		const url = URL.createObjectURL(file);
		if (/^image\/(png|jpeg|gif|webp)$/.test(file.type)) box.append(el("img", { src: url, class: "kin-preview-image", alt: file.name }));
		else if (file.type.startsWith("audio/")) box.append(el("audio", { src: url, controls: true }));
		else box.append(el("div", { class: "kin-file" }, icon("file"), el("bdi", { text: file.name })));
		dialog.onhide = () => URL.revokeObjectURL(url);
		dialog.khalifa_key = uuid();
		dialog.show();
	}

	send(file, is_voice, caption, dialog) {
		const ticket = this.composer.ticket;
		dialog.get_primary_btn().prop("disabled", true);
		this.upload(file, is_voice, ticket)
			.then((kept) =>
				attempt("conversation.send_file", {
					ticket, file_url: kept.file_url, kind: kept.kind, caption, client_key: dialog.khalifa_key,
					seen_ms: this.composer.last_seen(),
				})
			)
			.then(() => {
				dialog.hide();
				this.composer.inbox.thread.changed().then(() => this.composer.inbox.thread.to_end());
			})
			.catch((error) => {
				dialog.get_primary_btn().prop("disabled", false);
				toast(error.text || __("The file could not be sent. Try again."), "red");
			});
	}

	upload(file, is_voice, ticket) {
		const form = new FormData();
		form.append("ticket", ticket);
		if (is_voice) form.append("is_voice", "1");
		form.append("file", file, file.name);
		return fetch(UPLOAD, { method: "POST", body: form, headers: { "X-Frappe-CSRF-Token": frappe.csrf_token, Accept: "application/json" } })
			.then((answer) => answer.json().then((told) => (answer.ok ? told.message : Promise.reject(words(told)))));
	}

	record() {
		if (this.recorder) return this.recorder.stop();
		const mimeType = window.MediaRecorder && navigator.mediaDevices && RECORDED.find((type) => MediaRecorder.isTypeSupported(type));
		if (!mimeType) return toast(__("This browser can't record a voice message here. Attach an audio file."));
		return navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } }).then(
			(stream) => {
				const parts = [];
				this.recorder = new MediaRecorder(stream, { mimeType });
				this.recorder.ondataavailable = (event) => parts.push(event.data);
				this.recorder.onstop = () => {
					stream.getTracks().forEach((track) => track.stop());
					this.recorder = null;
					this.voice_button.classList.remove("recording");
					const [type] = mimeType.split(";");
					this.bring(new File(parts, `voice.${type.slice(6)}`, { type }), true);
				};
				this.recorder.start();
				this.voice_button.classList.add("recording");
			},
			() => toast(__("The microphone may not be used. Allow it in the browser."))
		);
	}
}

function words(told) {
	try {
		const html = JSON.parse(JSON.parse(told._server_messages)[0]).message;
		return { text: new DOMParser().parseFromString(html, "text/html").body.textContent };
	} catch {
		return { text: "" };
	}
}
