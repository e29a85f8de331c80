// What an answer of the server means: a message, or a refusal in words. Nothing here knows a browser, so that
// it can be tried without one.
//
// `is_unknown`: nobody knows whether the server has done it. Whoever asked asks again with the same key, if
// it had one.

export const NO_ANSWER = "no_answer";
export const SIGNED_OUT = "signed_out";
export const OLD_PAGE = "old_page";

export class Refusal extends Error {
	constructor(code, text, is_unknown = false) {
		super(text);
		Object.assign(this, { code, text, is_unknown });
	}
}

// `body`: the answer's text; `words`: the sentences, for those refusals that the server puts in none
export function outcome({ status, ok, body }, words) {
	const told = json(body);
	if (ok && told && !told.session_expired) return told.message;
	if (told?.session_expired || status === 401) return new Refusal(SIGNED_OUT, words.signed_out);
	if (told?.exc_type === "CSRFTokenError") return new Refusal(OLD_PAGE, words.old_page);
	if (told && status < 500) return new Refusal(told.code || "", sentence(told) || words.refused);
	if (status === 413) return new Refusal("too_large", words.too_large);
	// busy: nothing was done
	if (told?.code) return new Refusal(told.code, sentence(told) || words.no_answer);
	// A proxy's page, a page to sign in to the café's network, half an answer
	return new Refusal(NO_ANSWER, words.no_answer, true);
}

function json(body) {
	try {
		const told = JSON.parse(body);
		return told && typeof told === "object" ? told : null;
	} catch {
		return null;
	}
}

function sentence(told) {
	try {
		return JSON.parse(JSON.parse(told._server_messages)[0]).message || "";
	} catch {
		return "";
	}
}
