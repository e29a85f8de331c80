// How WhatsApp shows marks in a text: *bold*, _italic_, ~struck through~, ```fixed width```. A mark counts at the
// edge of a word only, and with something other than space inside.

const MARKS = [
	["```", "code"],
	["*", "b"],
	["_", "i"],
	["~", "s"],
];

// [{ text, tag }]: the text in pieces; `tag` is empty, or the element that shows it. Marks in marks stay text.
export function pieces(text) {
	const taken = [];
	let plain = "";
	for (let place = 0; place < text.length;) {
		const [mark, tag, end] = marked(text, place);
		if (!mark) {
			plain += text[place++];
			continue;
		}
		if (plain) taken.push({ text: plain, tag: "" });
		plain = "";
		taken.push({ text: text.slice(place + mark.length, end), tag });
		place = end + mark.length;
	}
	return plain ? [...taken, { text: plain, tag: "" }] : taken;
}

function marked(text, place) {
	for (const [mark, tag] of MARKS) {
		if (!text.startsWith(mark, place) || is_letter(text[place - 1])) continue;
		const end = text.indexOf(mark, place + mark.length);
		const inside = end < 0 ? "" : text.slice(place + mark.length, end);
		const is_tight = inside && inside === inside.trim() && (tag === "code" || !inside.includes("\n"));
		if (is_tight && !is_letter(text[end + mark.length])) return [mark, tag, end];
	}
	return ["", "", 0];
}

const is_letter = (char) => Boolean(char) && /[\p{L}\p{N}]/u.test(char);
