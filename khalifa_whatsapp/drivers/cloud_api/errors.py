"""What Meta's error codes mean for us. The texts are what a person of the shop should do or know.

Source: the error reference of the Cloud API. The code decides, never the HTTP status, title or subcode.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from khalifa_whatsapp.drivers.base import (
	AuthError,
	OptedOut,
	Permanent,
	RateLimited,
	RecipientError,
	Retryable,
	SendError,
	UnknownOutcome,
	WindowClosed,
)
from khalifa_whatsapp.drivers.http import Reply, answer_without_code, mask
from khalifa_whatsapp.drivers.payload import dict_of, text_of

KINDS: Mapping[str, type[SendError]] = {
	one.kind: one
	for one in (
		Retryable,
		RateLimited,
		RecipientError,
		OptedOut,
		Permanent,
		WindowClosed,
		AuthError,
		UnknownOutcome,
	)
}

# "auth" is also every trouble of the account as a whole: the device stops and a person is told.
ERRORS: Mapping[int, tuple[str, str]] = {
	0: ("auth", "The access token is missing, expired or revoked."),
	1: ("retryable", "WhatsApp had an unknown problem."),
	2: ("retryable", "WhatsApp is down for the moment."),
	3: ("auth", "The app lacks a permission for this number."),
	4: ("rate_limited", "The app makes too many calls."),
	10: ("auth", "The app lacks a permission for this number."),
	33: ("auth", "The phone number id does not exist (any more)."),
	100: ("permanent", "A part of the message is not valid."),
	190: ("auth", "The access token is missing, expired or revoked."),
	368: ("auth", "The account is blocked for a policy violation."),
	613: ("rate_limited", "Too many calls."),
	80007: ("rate_limited", "The business account makes too many calls."),
	130429: ("rate_limited", "The number sends too fast."),
	130472: ("recipient", "The customer is in an experiment of Meta and gets no marketing."),
	130497: ("recipient", "The business may not write to this country."),
	131000: ("retryable", "WhatsApp had an unknown problem."),
	131005: ("auth", "Access denied: check the permissions of the token."),
	131008: ("permanent", "A required part of the message is missing."),
	131009: ("permanent", "A part of the message is not valid."),
	131016: ("retryable", "WhatsApp is overloaded for the moment."),
	131020: ("permanent", "The group can't be used."),
	131021: ("recipient", "The recipient is our own number."),
	131026: ("recipient", "Undeliverable: perhaps not on WhatsApp, or a very old version."),
	131030: ("recipient", "A test number may only write to the recipients of its list."),
	131031: ("auth", "The account is locked."),
	131037: ("auth", "The display name of the number is not approved yet."),
	131041: ("permanent", "The group can't be used."),
	131042: ("auth", "The account has a payment problem."),
	131044: ("auth", "The account has a payment problem (calls)."),
	131045: ("auth", "The number's certificate has a problem: register it again."),
	131047: ("window_closed", "More than 24 hours since the customer wrote: send an approved template."),
	131048: ("rate_limited", "Too many customers blocked or reported the number: pause, check its quality."),
	131049: ("recipient", "Meta holds back more marketing to this customer: not before tomorrow."),
	131050: ("opted_out", "The customer stopped marketing messages of this business."),
	131051: ("permanent", "This message type is not supported."),
	131052: ("permanent", "The customer's file can't be fetched: ask to send it again."),
	131053: ("permanent", "The file can't be sent: wrong type, broken or too big."),
	131056: ("rate_limited", "Too many messages to this one customer in a short time."),
	131057: ("retryable", "The number is in maintenance."),
	131062: ("permanent", "This message needs a phone number, the customer has only a user id."),
	131063: ("permanent", "Marketing templates must go through the marketing messages endpoint."),
	131064: ("permanent", "Limited because of wrongly classified templates: review them."),
	132000: ("permanent", "The template wants another number of values."),
	132001: ("permanent", "The template does not exist in this language, or is not approved."),
	132005: ("permanent", "The filled template is too long."),
	132007: ("permanent", "The template's content is against the policy."),
	132008: ("permanent", "A value of the template is not valid."),
	132012: ("permanent", "A value of the template has the wrong format."),
	132015: ("permanent", "The template is paused for its low quality."),
	132016: ("permanent", "The template is disabled for its low quality."),
	132018: ("permanent", "A value of the template is not valid."),
	132068: ("permanent", "The flow is blocked."),
	132069: ("permanent", "The flow is throttled."),
	133010: ("auth", "The number is not registered for the Cloud API."),
	133016: ("auth", "Too many registrations of the number: wait 72 hours."),
	135000: ("permanent", "The template message is malformed."),
	137000: ("recipient", "The customer's security code changed: confirm who it is."),
}
FAMILIES: tuple[tuple[int, int, str, str], ...] = (
	(200, 299, "auth", "The app lacks a permission for this number."),
	(131201, 131215, "permanent", "The group can't be used."),
	(138000, 138018, "permanent", "Calls can't be used here."),
	(139100, 139103, "permanent", "Blocking the customer failed."),
	(147001, 147005, "permanent", "The business username can't be used."),
	(2388000, 2388999, "permanent", "The template or number can't be changed so."),
)
UNKNOWN_CODE = ("permanent", "WhatsApp refused the message.")
# Only this customer was written to too fast; every other limit holds the whole number back
PAIR_LIMIT = 131056
# Seconds to wait at least: for 131048 Meta says only "later", hours and not minutes
PAUSES: Mapping[int, float] = {131048: 6 * 3600.0, PAIR_LIMIT: 6.0}
log = logging.getLogger(__name__)


def meaning(code: int) -> tuple[str, str] | None:
	"""Kind and text of a code, or None when Meta never told us of it."""
	if code in ERRORS:
		return ERRORS[code]
	for first, last, kind, text in FAMILIES:
		if first <= code <= last:
			return kind, text
	return None


def code_of(error: Mapping[str, Any]) -> int | None:
	"""The code in an error object, given as number or digits."""
	code = error.get("code")
	if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
		return int(code)
	if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 10**9:
		return code
	return None


def describe(error: Mapping[str, Any]) -> tuple[str, str, str]:
	"""Code, kind and text of an error object inside a webhook, where the failure itself is certain."""
	code = code_of(error)
	kind, text = (meaning(code) if code is not None else None) or UNKNOWN_CODE
	return ("" if code is None else str(code)), kind, text


def error_from(reply: Reply) -> SendError:
	"""The one `SendError` that an answer means. Total: there is no answer without one."""
	error = dict_of((reply.object() or {}).get("error"))
	code = code_of(error)
	known = meaning(code) if code is not None else None
	if code is None or known is None:
		return _unknown_code(reply, error, code)
	kind, text = known
	_log_details(code, error)
	if kind == RateLimited.kind:
		pause = max(filter(None, (reply.retry_after(), PAUSES.get(code))), default=None)
		return RateLimited(text, str(code), pause, is_pair=code == PAIR_LIMIT)
	return KINDS[kind](text, str(code), reply.retry_after())


def _unknown_code(reply: Reply, error: Mapping[str, Any], code: int | None) -> SendError:
	failure = answer_without_code(reply)
	if error.get("is_transient") is True and isinstance(failure, Permanent):
		failure = Retryable(failure.text, failure.code)
	if code is None:
		return failure
	_log_details(code, error)
	return type(failure)(failure.text, str(code), failure.retry_after)


def details_of(error: Mapping[str, Any]) -> str:
	"""Meta's own words, for whoever looks after the app.

	Its `message` may repeat the token, and is left out.
	"""
	return mask(text_of(dict_of(error.get("error_data")).get("details")))


def _log_details(code: int, error: Mapping[str, Any]) -> None:
	details = details_of(error)
	if details:
		log.info("WhatsApp refused a call with code %s: %s", code, details)
