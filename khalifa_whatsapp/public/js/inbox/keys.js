// Which key was pressed, whatever language the keyboard writes. A letter of the Latin script is itself; in
// any other script the key's place counts, as it is on most keyboards: an Arabic «ت» lies where «J» does.

const PLACE = /^(Key([A-Z])|Digit([0-9])|(Slash))$/;

export function pressed({ key, code, shiftKey }) {
	if (key.length > 1 && /^[A-Z][A-Za-z0-9]+$/.test(key) && key !== "Dead" && key !== "Unidentified")
		return key; // Enter, Escape …
	// also with Caps Lock
	if (key.length === 1 && key >= "!" && key <= "~") return shiftKey ? key : key.toLowerCase();
	const [, , letter, digit, slash] = PLACE.exec(code || "") || [];
	if (slash) return shiftKey ? "?" : "/";
	if (letter) return shiftKey ? letter : letter.toLowerCase();
	return digit || key;
}
