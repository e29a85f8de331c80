// What the reports' pages share: filters, and cells that open the rows behind them.
frappe.provide("khalifa_whatsapp.reports");

const reports = khalifa_whatsapp.reports;

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
