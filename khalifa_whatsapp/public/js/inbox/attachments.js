// Files that people bring: chosen, pasted, dropped, or spoken. Nothing leaves before it was shown and
// confirmed.

import { attempt, el, icon, microphone, toast, upload, uuid } from "./util.js";

// of which the server makes a voice message
const RECORDED = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];

export class Attachments {
	constructor(composer) {
		this.composer = composer;
		this.input = el("input", {
			type: "file",
			hidden: true,
			onchange: () => this.bring(this.input.files[0]),
		});
		this.voice_button = el(
			"button",
			{
				class: "btn btn-sm kin-tool",
				title: __("Record a Voice Message"),
				"aria-label": __("Record a Voice Message"),
				onclick: () => this.record(),
			},
			microphone(),
		);
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
		if (this.composer.is_note)
			return toast(__("A note holds no files. Leave the note to send the customer a file."));
		if (!this.composer.may_write) return toast(__("Files can't be sent here now."));
		const most = this.composer.can.max_media_bytes;
		if (file.size > most)
			return toast(__("The file is larger than {0} MB.", [Math.round(most / 1048576)]), "red");
		this.preview(file, is_voice);
	}

	preview(file, is_voice) {
		const dialog = new frappe.ui.Dialog({
			title: __("Send a File"),
			fields: [
				{ fieldtype: "HTML", fieldname: "shown" },
				{ fieldtype: "Small Text", fieldname: "caption", label: __("Caption"), hidden: is_voice },
			],
			primary_action_label: __("Send"),
			primary_action: ({ caption }) => this.send(file, is_voice, caption || "", dialog),
		});
		const box = dialog.fields_dict.shown.$wrapper[0];
		const url = URL.createObjectURL(file);
		if (/^image\/(png|jpeg|gif|webp)$/.test(file.type))
			box.append(el("img", { src: url, class: "kin-preview-image", alt: file.name }));
		else if (file.type.startsWith("audio/")) box.append(el("audio", { src: url, controls: true }));
		else box.append(el("div", { class: "kin-file" }, icon("file"), el("bdi", { text: file.name })));
		dialog.onhide = () => URL.revokeObjectURL(url);
		dialog.khalifa = { ticket: this.composer.ticket, client_key: uuid() };
		dialog.show();
	}

	// The dialog keeps the conversation it was opened for, its key, and the file that the server has already
	send(file, is_voice, caption, dialog) {
		const { ticket, client_key } = dialog.khalifa;
		dialog.get_primary_btn().prop("disabled", true);
		this.kept(file, is_voice, dialog.khalifa)
			.then((kept) =>
				attempt("conversation.send_file", {
					ticket,
					file_url: kept.file_url,
					kind: kept.kind,
					caption,
					client_key,
					seen_ms: this.composer.last_seen(),
				}),
			)
			.then(() => {
				dialog.hide();
				if (this.composer.ticket !== ticket) return;
				this.composer.inbox.thread.changed().then(() => this.composer.inbox.thread.to_end());
			})
			.catch((error) => toast(error.text, "red"))
			.finally(() => dialog.get_primary_btn().prop("disabled", false));
	}

	kept(file, is_voice, held) {
		if (held.kept) return Promise.resolve(held.kept);
		const form = new FormData();
		form.append("ticket", held.ticket);
		if (is_voice) form.append("is_voice", "1");
		form.append("file", file, file.name);
		return upload("media.upload", form, file.size).then((kept) => (held.kept = kept));
	}

	record() {
		if (this.recorder) return this.recorder.stop();
		const mimeType =
			window.MediaRecorder &&
			navigator.mediaDevices &&
			RECORDED.find((type) => MediaRecorder.isTypeSupported(type));
		if (!mimeType)
			return toast(__("This browser can't record a voice message here. Attach an audio file."));
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
			() => toast(__("The microphone may not be used. Allow it in the browser.")),
		);
	}
}
