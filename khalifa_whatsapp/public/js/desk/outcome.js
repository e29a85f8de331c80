// What an answer of the server means: a message, or a refusal in texts. Nothing here knows a browser, so that
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

// `body`: the answer's text; `texts`: the sentences, for those refusals that the server puts in none
export function outcome({ status, ok, body }, texts) {
	const answer = json(body);
	if (ok && answer && !answer.session_expired) return answer.message;
	if (answer?.session_expired || status === 401) return new Refusal(SIGNED_OUT, texts.signed_out);
	if (answer?.exc_type === "CSRFTokenError") return new Refusal(OLD_PAGE, texts.old_page);
	if (answer && status < 500) return new Refusal(answer.code || "", sentence(answer) || texts.refused);
	if (status === 413) return new Refusal("too_large", texts.too_large);
	// busy: nothing was done
	if (answer?.code) return new Refusal(answer.code, sentence(answer) || texts.no_answer);
	// A proxy's page, a page to sign in to the café's network, half an answer
	return new Refusal(NO_ANSWER, texts.no_answer, true);
}

function json(body) {
	try {
		const answer = JSON.parse(body);
		return answer && typeof answer === "object" ? answer : null;
	} catch {
		return null;
	}
}

function sentence(answer) {
	try {
		return JSON.parse(JSON.parse(answer._server_messages)[0]).message || "";
	} catch {
		return "";
	}
}
