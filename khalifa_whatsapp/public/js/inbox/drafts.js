// What was begun to be written: for each conversation one text for the customer and one for colleagues, which
// never become each other. Each keeps its key until the server has it: whoever sends again, also later and
// from another tab, sends the same message and not a second one.

export const REPLY = "reply";
export const NOTE = "note";

export class Drafts {
	constructor(storage, user, new_key) {
		Object.assign(this, { storage, user, new_key });
		this.held = new Map(); // of a browser that stores nothing
	}

	get(ticket, mode) {
		const stored =
			this.read(this.place(ticket, mode)) ??
			(mode === REPLY ? this.read(this.old_place(ticket)) : null);
		return { text: "", key: this.new_key(), quoted: null, at: 0, ...parsed(stored) };
	}

	put(ticket, mode, draft) {
		if (!draft.text.trim() && !draft.quoted) return this.drop(ticket, mode);
		this.write(this.place(ticket, mode), JSON.stringify({ ...draft, at: Date.now() }));
	}

	drop(ticket, mode) {
		this.remove(this.place(ticket, mode));
		if (mode === REPLY) this.remove(this.old_place(ticket));
	}

	// What was written last; a conversation without drafts begins with an answer
	mode(ticket) {
		return this.get(ticket, NOTE).at > this.get(ticket, REPLY).at ? NOTE : REPLY;
	}

	place(ticket, mode) {
		return `khalifa_draft:${this.user}:${ticket}:${mode}`;
	}

	// Where a draft lay before there were two
	old_place(ticket) {
		return `khalifa_draft:${this.user}:${ticket}`;
	}

	// A browser may store nothing at all, or have no room left

	read(place) {
		try {
			return this.held.get(place) ?? this.storage.getItem(place);
		} catch {
			return null;
		}
	}

	write(place, text) {
		try {
			this.storage.setItem(place, text);
			this.held.delete(place);
		} catch {
			this.held.set(place, text);
		}
	}

	remove(place) {
		this.held.delete(place);
		try {
			this.storage.removeItem(place);
		} catch {
			// stored nothing either
		}
	}
}

function parsed(stored) {
	if (stored === null) return {};
	try {
		const draft = JSON.parse(stored);
		if (typeof draft?.text === "string" && draft.key) return draft;
	} catch {
		// a text of before
	}
	return { text: stored, at: 1 };
}
