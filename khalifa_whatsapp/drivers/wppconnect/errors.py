"""What WPPConnect's answers and acks mean for us.

It knows no error codes: the HTTP status, and the ack of WhatsApp Web, are all it says. Source: its routes and
the ack enum of the library below it.
"""

from __future__ import annotations

from collections.abc import Mapping

from khalifa_whatsapp.drivers.base import (
	AuthError,
	Permanent,
	Retryable,
	SendError,
	UnknownOutcome,
)
from khalifa_whatsapp.drivers.http import Reply, answer_without_code, surely_not_sent
from khalifa_whatsapp.drivers.payload import text_of

# Steps of an outgoing message. 0 is the clock, before WhatsApp has it; 5 concerns our other devices.
ACKS: Mapping[int, str] = {1: "sent", 2: "delivered", 3: "read", 4: "played"}
ACK_ERRORS: Mapping[int, tuple[type[SendError], str]] = {
	# Says nothing of the customer: mostly WhatsApp lets this number begin no new chats for a while (its error
	# 463), and every further try makes that longer.
	-1: (Permanent, "WhatsApp refused it: mostly a limit on new chats. Let the customer write first."),
	-2: (Permanent, "The message expired before it left."),
	-3: (Permanent, "The file is gone from WhatsApp."),
	-4: (Permanent, "The file is too big for WhatsApp."),
	-5: (Permanent, "The file could not be uploaded to WhatsApp."),
	-6: (Permanent, "The account is inactive."),
	-7: (Permanent, "The message can't be sent in this encryption."),
}
UNKNOWN_ACK = (Permanent, "WhatsApp refused the message.")


def ack_error(ack: int) -> SendError:
	"""The failure that a negative ack means."""
	kind, text = ACK_ERRORS.get(ack, UNKNOWN_ACK)
	return kind(text, f"ack{ack}")


def describe_ack(ack: int) -> tuple[str, str, str]:
	"""Code, kind and text of a negative ack inside a webhook."""
	error = ack_error(ack)
	return error.code, error.kind, error.text


def error_from(reply: Reply) -> SendError:
	"""The one `SendError` that an answer means. Total: there is no answer without one."""
	answer = reply.object() or {}
	if reply.status == 404 and text_of(answer.get("status")) == "Disconnected":
		return Retryable("The WhatsApp session is not connected.", code="disconnected")
	if reply.status == 400:
		# «does not exist» is said of a check that timed out as well, and the server may send all the same
		return UnknownOutcome(
			"The gateway did not find the number, but may have sent all the same.", "http_400"
		)
	if reply.status == 401 and _is_file_missing(answer):
		return Permanent("The gateway got no file.", code="no_file")
	if reply.status == 404:
		return AuthError("The gateway does not know this address or session: check the base URL.", "http_404")
	return answer_without_code(reply)


def read_error(reply: Reply) -> SendError:
	"""What the answer to a question means: nothing was sent, so all but a refused login may work later."""
	if reply.status in (400, 401) and not is_token_refused(reply):
		return Retryable("The gateway could not answer the question.", f"http_{reply.status}")
	return surely_not_sent(error_from(reply))


def is_token_refused(reply: Reply) -> bool:
	"""Whether it says that the token is not accepted.

	It answers 401 for a missing file as well, and for a chat that it could not open, with a `status`.
	"""
	answer = reply.object() or {}
	return reply.status == 401 and "status" not in answer and not _is_file_missing(answer)


def _is_file_missing(answer: Mapping[str, object]) -> bool:
	answer_text = f"{answer.get('message', '')} {answer.get('error', '')}".lower()
	return any(term in answer_text for term in ("file", "arquivo", "path"))
