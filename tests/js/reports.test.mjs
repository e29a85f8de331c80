import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

import { filter, report } from "../../khalifa_whatsapp/public/js/desk/reports.js";

const REPORTS = new URL("../../khalifa_whatsapp/khalifa_whatsapp/report/", import.meta.url);
const NAMES = readdirSync(REPORTS).filter((name) => name.startsWith("whatsapp_"));

globalThis.__ = (text) => text;
globalThis.frappe = {
	query_reports: {},
	datetime: {
		get_today: () => "2026-11-30",
		add_days: (day, days) => new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10),
	},
};
globalThis.khalifa = { filter, report };

// The settings of a report, as Desk gets them from its script
function settings_of(name) {
	const folder = new URL(`${name}/${name}`, REPORTS);
	vm.runInThisContext(readFileSync(`${folder.pathname}.js`, "utf8"));
	const { name: title } = JSON.parse(readFileSync(`${folder.pathname}.json`, "utf8"));
	return globalThis.frappe.query_reports[title];
}

test("a period holds both of its days", () => {
	const defaults = (days) => filter.period(days).map((one) => one.default);
	assert.deepEqual(defaults(), ["2026-11-01", "2026-11-30"]);
	assert.deepEqual(defaults(1), ["2026-11-30", "2026-11-30"]);
});

test("a report is grouped at first by the first of its groups", () => {
	const { default: first, options } = filter.group_by("Day", "Hour");
	assert.equal(first, "Day");
	assert.deepEqual(options, [
		{ value: "Day", label: "Daily" },
		{ value: "Hour", label: "By Hour" },
	]);
});

test("every report has filters with labels, each once, and choices with words", () => {
	assert.equal(NAMES.length, 12);
	for (const name of NAMES) {
		const { filters, onload, formatter } = settings_of(name);
		assert.equal(typeof onload, "function", name);
		assert.equal(typeof formatter, "function", name);
		const fieldnames = filters.map((one) => one.fieldname);
		assert.equal(new Set(fieldnames).size, fieldnames.length, name);
		for (const one of filters) {
			assert.ok(one.label && one.fieldtype, `${name}: ${one.fieldname}`);
			for (const choice of one.options?.map ? one.options : [])
				assert.ok(choice.label, `${name}: ${choice.value}`);
		}
	}
});

test("reports' scripts may be run one after the other", () => {
	for (const name of NAMES) settings_of(name);
	for (const name of NAMES) assert.ok(settings_of(name).filters.length, name);
});
