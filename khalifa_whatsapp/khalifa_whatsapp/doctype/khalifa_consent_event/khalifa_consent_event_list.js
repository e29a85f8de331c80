const CONSENT_COLOURS = { Stopped: "orange", Resumed: "green" };
const IMPORT_PART = 500; // lines of one call

frappe.listview_settings["Khalifa Consent Event"] = {
	hide_name_column: true,
	add_fields: ["wish"],
	get_indicator: (doc) => [__(doc.wish), CONSENT_COLOURS[doc.wish] || "gray", `wish,=,${doc.wish}`],
	formatters: { at: khalifa.to_the_minute },
	onload(list) {
		list.page.add_inner_button(__("Import Numbers"), () => ask_numbers(list));
	},
};

// Pasted or from a file, one number a line; the file is read here and leaves only as lines
function ask_numbers(list) {
	const dialog = new frappe.ui.Dialog({
		title: __("Stop Promotions to These Numbers"),
		fields: [
			{
				fieldname: "lines",
				fieldtype: "Text",
				label: __("Numbers"),
				description: __("One a line. From a CSV the cell with the number is read."),
			},
			{ fieldname: "file", fieldtype: "HTML" },
			{ fieldname: "results", fieldtype: "HTML" },
		],
		primary_action_label: __("Stop Promotions"),
		primary_action: ({ lines }) => {
			const wanted = (lines || "").split(/\r?\n/).filter((line) => line.trim());
			if (!wanted.length) return frappe.show_alert(__("Paste numbers, or choose a file."));
			dialog.get_primary_btn().prop("disabled", true);
			return import_numbers(wanted)
				.then((results) => {
					show_results(dialog.fields_dict.results.$wrapper[0], results);
					list.refresh();
				})
				.finally(() => dialog.get_primary_btn().prop("disabled", false));
		},
	});
	const input = document.createElement("input");
	Object.assign(input, { type: "file", accept: ".csv,.txt,text/csv,text/plain" });
	input.setAttribute("aria-label", __("A CSV File"));
	input.addEventListener("change", () =>
		input.files[0]?.text().then((text) => dialog.set_value("lines", text)),
	);
	dialog.fields_dict.file.$wrapper[0].append(input);
	dialog.show();
}

async function import_numbers(lines) {
	const results = [];
	for (let start = 0; start < lines.length; start += IMPORT_PART) {
		frappe.show_progress(__("Stopping Promotions"), start, lines.length);
		const part = lines.slice(start, start + IMPORT_PART);
		results.push(
			...(await frappe.xcall("khalifa_whatsapp.api.care.import_opt_outs", {
				lines: JSON.stringify(part),
			})),
		);
	}
	frappe.hide_progress();
	return results;
}

// How many of each, and the lines that somebody must mend
function show_results(holder, results) {
	const labels = {
		stopped: __("Stopped"),
		already: __("Stopped Before"),
		twice: __("More Than Once in the List"),
		wrong: __("Not a Number"),
	};
	const counts = Object.entries(labels).map(
		([result, label]) => `${label}: ${results.filter((one) => one.result === result).length}`,
	);
	const summary = document.createElement("p");
	summary.textContent = counts.join(" · ");
	const list = document.createElement("ul");
	for (const one of results.filter(({ result }) => result === "wrong").slice(0, 100)) {
		const item = document.createElement("li");
		item.textContent = `${one.line}: ${one.text}`;
		item.dir = "auto";
		list.append(item);
	}
	holder.replaceChildren(summary, list);
}
