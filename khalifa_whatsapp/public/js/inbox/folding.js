// The form in which texts are searched, as `core/arabic.py` has it on the server: what people leave out or swap when
// they type counts for the same. tests/data/folding.json holds both to it.

const LETTERS = { ß: "ss", ٱ: "ا", ة: "ه", ى: "ي", ی: "ي", ک: "ك", ـ: "" };
const INVISIBLE = /[\p{Cf}\p{Cc}]/u;

export function folded(text) {
	const parts = text.normalize("NFKD").toLowerCase().normalize("NFKD");
	let out = "";
	for (const char of parts) {
		if (char in LETTERS) out += LETTERS[char];
		else if (/\p{Mn}/u.test(char)) continue;
		else if (/\p{Nd}/u.test(char)) out += digit(char);
		else if (/\s/.test(char)) out += " ";
		else if (!INVISIBLE.test(char)) out += char;
	}
	return out.normalize("NFC").replace(/\s+/g, " ").trim();
}

// Digits of a script are ten in a row
function digit(char) {
	const code = char.codePointAt(0);
	let zero = code;
	while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
	return String(code - zero);
}
