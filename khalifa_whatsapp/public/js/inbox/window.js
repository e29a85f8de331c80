// Which lines of a long list are in the document: those in sight and some around them. Every line is of one
// height, so numbers are enough; nothing here draws.

export const HEIGHT = 80; // of one line, in pixels: the style sheet takes it from here
const MAX = 100; // lines in the document, also on a very tall screen
const AROUND = 24; // lines kept ready above and below
const STEP = 8; // what is drawn moves by so many lines, not by each

// `top`: how far the box is scrolled, `height`: of the box, `size`: of the list
export function drawn(top, height, size) {
	const held = Math.ceil(height / HEIGHT) + 1;
	const around = Math.max(STEP, Math.min(AROUND, (MAX - held) >> 1));
	const at = Math.min(Math.floor(top / HEIGHT), size);
	const first = Math.max(0, Math.floor((at - around) / STEP) * STEP);
	const last = Math.min(size, Math.ceil((at + held + around) / STEP) * STEP);
	return { first: Math.min(first, last), last };
}

// The line at the top edge that has not moved itself, unless the list is at its beginning: there new lines
// shall be seen
export function anchor(rows, top, moved) {
	if (top <= 0) return null;
	const from = Math.floor(top / HEIGHT);
	const place = rows.findIndex((row, at) => at >= from && !moved.has(row.ticket));
	return place < 0 ? null : { ticket: rows[place].ticket, offset: top - place * HEIGHT };
}

// How far to scroll so that the anchor is where it was; `top` where it is gone
export function kept(rows, held, top) {
	const place = held ? rows.findIndex((row) => row.ticket === held.ticket) : -1;
	return place < 0 ? top : Math.max(0, place * HEIGHT + held.offset);
}

export function in_sight(rows, top, height) {
	const first = Math.floor(top / HEIGHT);
	return rows.slice(first, first + Math.ceil(height / HEIGHT) + 1);
}

// How many known lines lie below the lower edge
export function below(top, height, size) {
	return size - Math.ceil((top + height) / HEIGHT);
}

// How far to scroll so that this line is in sight
export function revealing(place, top, height) {
	if (place < 0 || !height) return top;
	if (place * HEIGHT < top) return place * HEIGHT;
	return (place + 1) * HEIGHT > top + height ? (place + 1) * HEIGHT - height : top;
}
