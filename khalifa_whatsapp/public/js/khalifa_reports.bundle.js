// What the reports' pages share: filters, and cells that open the rows behind them.
frappe.provide("khalifa_whatsapp.reports");

const reports = khalifa_whatsapp.reports;
const PATIENCE_MS = 10_000;

// What reports do before they are asked for the first time. Frappe sets the filters of an address one by one,
// has the server look at a linked name and fetch its title, and does not wait for the answers: a report that
// is asked for meanwhile shows other rows than its filters say, or none.
reports.ready = async (report) => {
	const until = Date.now() + PATIENCE_MS;
	while (!report.filters.every(is_set) && Date.now() < until)
		await new Promise((resolve) => setTimeout(resolve, 50));
};

function is_set(filter) {
	return !filter.inside_change_event && (!filter.value || filter.get_value());
}

// Numbers that the server says how to open become links; the last row, the total, is bold.
reports.cell = (value, row, column, data, plain) => {
	const shown = plain(value, row, column, data);
	if (data?.bold) return `<b>${shown}</b>`;
	const counted = column.metric && data?.behind && reports.counted_rows(column.metric, data.behind);
	const target = data?.links?.[column.fieldname] || counted;
	return target && value ? `<a href="${frappe.utils.escape_html(target)}">${shown}</a>` : shown;
};

// The address of the rows that a figure counts: by what was counted, however many they are
reports.counted_rows = (metric, { agent, first, last }) => {
	const query = new URLSearchParams({ agent, metric, from_date: first, to_date: last });
	return `/app/query-report/${encodeURIComponent("WhatsApp Counted Rows")}?${query}`;
};

// A darker cell for a busier hour
reports.heat = (value, row, column, data, plain) => {
	const shown = reports.cell(value, row, column, data, plain);
	if (data?.bold || !data?.heat || !column.fieldname.startsWith("day_")) return shown;
	const share = (value || 0) / data.heat;
	return `<div style="background: rgba(68, 99, 240, ${(share * 0.6).toFixed(2)})">${shown}</div>`;
};
