// One act on many conversations, in pieces that the server does at once. Says at the end what was done and
// what was not, and why: whatever happens to the network, each conversation is in the one list or the other.

export const PIECE = 25;

// `send(names)` gives a promise of [{ ticket, is_done, why, customer_name }]
export async function in_pieces(tickets, send, report = () => {}) {
	const outcome = { done: [], left: [] };
	for (let place = 0; place < tickets.length; place += PIECE) {
		const piece = tickets.slice(place, place + PIECE);
		try {
			note(outcome, piece, await send(piece));
		} catch (error) {
			// nobody knows how far this piece came: the list shows it
			const why = (ticket) => ({ ticket, why: error.text, customer_name: "" });
			outcome.left.push(...tickets.slice(place).map(why));
			return outcome;
		}
		report(Math.min(place + PIECE, tickets.length));
	}
	return outcome;
}

function note(outcome, piece, results) {
	const known = new Map(results.map((one) => [one.ticket, one]));
	for (const ticket of piece) {
		const one = known.get(ticket) || { ticket, is_done: false, why: "" };
		if (one.is_done) outcome.done.push(ticket);
		else outcome.left.push(one);
	}
}
