// Decimals in our forms as people write them: 15 and 0.25, not 15.000 and 0.250. Frappe fills inputs up with
// zeros, and its own precision of 0 would round what may have decimals. Other apps' forms stay as they were.

const OURS = /^(Khalifa .+|WhatsApp Device)$/;

export function without_zeros(text, point) {
	const [whole, decimals] = String(text).split(point);
	const kept = (decimals || "").replace(/0+$/, "");
	return kept ? `${whole}${point}${kept}` : whole;
}

export function shorten_decimals() {
	const control = frappe.ui.form.ControlFloat.prototype;
	const { format_for_input } = control;
	control.format_for_input = function (value) {
		const shown = format_for_input.call(this, value);
		if (!shown || !OURS.test(this.df.parent)) return shown;
		return without_zeros(shown, get_number_format_info(get_number_format()).decimal_str);
	};
}
