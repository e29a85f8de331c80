// Choices of an Autocomplete field. Frappe reads its options once only, before a form can know them, writes
// labels as HTML, and clears what is not among the choices.

// `values`: texts, or {value, label}; `is_free`: something new may be typed as well
export function offer(field, values, { is_free = false } = {}) {
	if (!field?.set_data) return;
	field.df.ignore_validation = is_free ? 1 : 0;
	field.set_data(values.map(choice));
}

function choice(given) {
	const { value, label } = typeof given === "string" ? { value: given, label: given } : given;
	return { value, label: khalifa.as_text(label) };
}
