// What the reports' pages share: filters, and cells that open the rows behind them.
frappe.provide("khalifa_whatsapp.reports");

const reports = khalifa_whatsapp.reports;

// Numbers that the server says how to open become links; the last row, the total, is bold.
reports.cell = (value, row, column, data, plain) => {
	const shown = plain(value, row, column, data);
	if (data?.bold) return `<b>${shown}</b>`;
	const target = data?.links?.[column.fieldname];
	if (target && value) return `<a href="${frappe.utils.escape_html(target)}">${shown}</a>`;
	return column.metric && value && data?.behind ? reports.opener(shown, column.metric, data.behind) : shown;
};

reports.opener = (shown, metric, { agent, first, last }) => {
	const safe = frappe.utils.escape_html;
	return `<a href="#" class="kwr-open" data-metric="${safe(metric)}" data-agent="${safe(agent)}"
		data-first="${safe(first)}" data-last="${safe(last)}">${shown}</a>`;
};

// A darker cell for a busier hour
reports.heat = (value, row, column, data, plain) => {
	const shown = reports.cell(value, row, column, data, plain);
	if (data?.bold || !data?.heat || !column.fieldname.startsWith("day_")) return shown;
	const share = (value || 0) / data.heat;
	return `<div style="background: rgba(68, 99, 240, ${(share * 0.6).toFixed(2)})">${shown}</div>`;
};

reports.open_rows = (place) => {
	const { metric, agent, first, last } = place.dataset;
	return frappe
		.call({ method: "khalifa_whatsapp.api.kpi.rows_of_days", args: { metric, agent, first, last }, type: "GET" })
		.then(({ message }) => reports.show_rows(message));
};

// A list of these rows; those of the first kind, when a figure counts rows of two
reports.show_rows = ({ count, rows }) => {
	if (!rows.length) return frappe.show_alert(__("There are no rows behind this figure any more."));
	const [{ doctype }] = rows;
	const names = rows.filter((row) => row.doctype === doctype).map((row) => row.name);
	if (count > names.length) frappe.show_alert(__("Showing {0} of {1} rows.", [names.length, count]));
	frappe.route_options = { name: ["in", names] };
	return frappe.set_route("List", doctype, "List");
};

$(document).on("click", ".kwr-open", (event) => {
	event.preventDefault();
	reports.open_rows(event.currentTarget);
});
