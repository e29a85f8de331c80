// What the pages of all reports are made of: the filters that several have, and cells that open the rows behind them.

// How the rows of a report may be grouped, as people choose it
const groups = () => ({
	"Whole Period": __("Whole Period"),
	"Hour and Weekday": __("Hour and Weekday"),
	Agent: __("By Agent"),
	Comments: __("Comments"),
	Day: __("Daily"),
	Week: __("Weekly"),
	Month: __("Monthly"),
	Hour: __("By Hour"),
	Weekday: __("By Weekday"),
	Branch: __("By Branch"),
	Device: __("By Device"),
	Category: __("By Category"),
	Campaign: __("By Campaign"),
	Template: __("By Template"),
	"Automatic Reply": __("By Automatic Reply"),
	Country: __("By Country"),
});

export const filter = {
	// Both days of the period; at first the last `days`, today included
	period(days = 30) {
		const today = frappe.datetime.get_today();
		const first = frappe.datetime.add_days(today, 1 - days);
		return [
			{ fieldname: "from_date", label: __("From"), fieldtype: "Date", default: first, reqd: 1 },
			{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: today, reqd: 1 },
		];
	},
	// One of `choices`, `{value: label}`; whatever else a filter can be comes in `more`
	choice: (fieldname, label, choices, more = {}) => ({
		fieldname,
		label,
		fieldtype: "Select",
		options: Object.entries(choices).map(([value, title]) => ({ value, label: title })),
		...more,
	}),
	// The first of the groups is the one that is shown at first
	group_by(...names) {
		const titles = groups();
		const choices = Object.fromEntries(names.map((name) => [name, titles[name]]));
		return filter.choice("group_by", __("Group By"), choices, { default: names[0] });
	},
	link: (fieldname, label, options, more = {}) => ({
		fieldname,
		label,
		fieldtype: "Link",
		options,
		...more,
	}),
	branch: () => filter.link("branch", __("Branch"), "Khalifa Branch"),
	agent: (more) => filter.link("agent", __("Agent"), "Khalifa Agent", more),
	device: () => filter.link("device", __("Device"), "WhatsApp Device"),
};

// What Desk wants to know of a report: its filters, and how its cells are drawn (`cell` or `heat`)
export const report = (filters, drawn_as = "cell") => ({
	filters,
	onload: (page) =>
		frappe.require("khalifa_reports.bundle.js").then(() => khalifa_whatsapp.reports.ready(page)),
	formatter: (...cell) => khalifa_whatsapp.reports[drawn_as](...cell),
});
