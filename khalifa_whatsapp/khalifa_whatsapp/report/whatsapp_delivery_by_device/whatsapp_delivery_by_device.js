frappe.query_reports["WhatsApp Delivery by Device"] = khalifa.report(khalifa.filter.period());
