frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["WhatsApp My Days"] = {
	method: "khalifa_whatsapp.api.cards.my_days",
	filters: [],
};
