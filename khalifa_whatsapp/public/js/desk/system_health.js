// Frappe's System Health Report also shows how WhatsApp is, to whoever may see it: a section of its own, asked
// for when the report is open. Nothing of the report itself is changed.

const CHECK = "/api/method/khalifa_whatsapp.api.health.check";
const READERS = ["WhatsApp Manager", "System Manager"];

export function extend_system_health() {
	frappe.ui.form.on("System Health Report", {
		refresh(frm) {
			if (READERS.some((role) => frappe.user_roles.includes(role))) show(frm);
		},
	});
}

async function show(frm) {
	// It answers 503 when something is wrong, with the same body
	const answer = await fetch(CHECK, { headers: { Accept: "application/json" } }).catch(() => null);
	const parts = (await answer?.json().catch(() => null))?.message?.parts;
	if (!parts) return;
	$(frm.wrapper).find(".khalifa-health").remove();
	frm.dashboard.add_section(html(parts), __("WhatsApp"), "khalifa-health");
	frm.dashboard.show();
}

function html(parts) {
	const rows = Object.entries(parts).map(([name, part]) => row(labels()[name] || name, part));
	const link = `<a href="/app/khalifa-alert">${__("All that is wrong now")}</a>`;
	return `<table class="table table-bordered table-sm"><tbody>${rows.join("")}</tbody></table><p>${link}</p>`;
}

function row(label, part) {
	const state = part.ok
		? `<span class="indicator-pill green">${__("OK")}</span>`
		: `<span class="indicator-pill red">${__("Failing")}</span>`;
	const why = frappe.utils.escape_html(reason(part));
	return `<tr><td>${frappe.utils.escape_html(label)}</td><td>${state}</td><td>${why}</td></tr>`;
}

function reason(part) {
	if (part.ok) return "";
	const failing = (part.failing || []).map((one) => one.subject || one);
	return [...failing, part.error || ""].filter(Boolean).join(", ");
}

function labels() {
	return {
		database: __("Database"),
		cache: __("Cache"),
		queue: __("Queue of Jobs"),
		workers: __("Workers"),
		intake: __("Taking Messages In"),
		outbox: __("Sending Messages"),
		minute_job: __("Scheduler"),
		jobs: __("Background Work"),
		disk: __("Disk Space"),
		devices: __("Devices"),
		files: __("Customers' Files"),
	};
}
