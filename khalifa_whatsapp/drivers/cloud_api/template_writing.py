"""Submitting templates to Meta: its requests, its answers, and its own words when it refuses one.

Source: the references of message templates and of resumable uploads. Refusals come as code 100 with a subcode
2388xxx; what a person can do about one stands in `error_user_msg`, in the language of the account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from khalifa_whatsapp.drivers.abilities import SubmittedTemplate, TemplateRefused
from khalifa_whatsapp.drivers.base import Permanent, SendError, UnknownOutcome
from khalifa_whatsapp.drivers.cloud_api.errors import code_of, details_of, error_from
from khalifa_whatsapp.drivers.http import Reply, mask
from khalifa_whatsapp.drivers.payload import dict_of, id_of, text_of

REFUSED = "The template or number can't be changed so."
SUBCODES = range(2388000, 2389000)  # of templates
_UPLOAD = re.compile(r"upload:[A-Za-z0-9+/=_.:?&%~-]{1,2000}")


def create_body(
	name: str, language: str, category: str, parameter_format: str, components: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
	"""The request that submits a new template."""
	return {
		"name": name,
		"language": language,
		"category": category,
		"parameter_format": parameter_format,
		"components": [dict(part) for part in components],
	}


def edit_body(category: str, components: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
	"""The request that submits another text."""
	body: dict[str, Any] = {"components": [dict(part) for part in components]}
	return {**body, "category": category} if category else body


def submitted_from(reply: Reply, template_id: str = "") -> SubmittedTemplate:
	"""What Meta took; `template_id`: of the template that was edited, whose answer may not name it."""
	answer = reply.object() or {}
	if not reply.is_success or "error" in answer:
		raise refusal(reply)
	known = id_of(answer.get("id")) or template_id
	if not known or answer.get("success") is False:
		raise UnknownOutcome("WhatsApp's answer names no template.", code="no_id")
	return SubmittedTemplate(known, text_of(answer.get("status")), text_of(answer.get("category")))


def refusal(reply: Reply) -> SendError:
	"""The error that an answer means; what is wrong with the template itself is said in Meta's words."""
	error = dict_of((reply.object() or {}).get("error"))
	failure = error_from(reply)
	subcode = code_of({"code": error.get("error_subcode")})
	explanation = explanation_of(error)
	is_about_text = subcode in SUBCODES or code_of(error) in SUBCODES or bool(explanation)
	if not isinstance(failure, Permanent) or not is_about_text:
		return failure
	return TemplateRefused(REFUSED, str(subcode or failure.code), explanation or details_of(error))


def explanation_of(error: Mapping[str, Any]) -> str:
	"""Title and text that Meta wrote for the person who submitted."""
	said = (text_of(error.get("error_user_title")), text_of(error.get("error_user_msg")))
	return mask(": ".join(dict.fromkeys(part.strip() for part in said if part.strip())))


def session_from(reply: Reply) -> str:
	"""The upload session that Meta opened, as the path of the next request."""
	answer = reply.object() or {}
	if not reply.is_success:
		raise error_from(reply)
	session = text_of(answer.get("id"))
	if not _UPLOAD.fullmatch(session):
		raise UnknownOutcome("WhatsApp's answer names no upload.", code="no_id")
	return session


def handle_from(reply: Reply) -> str:
	"""What names the uploaded example."""
	answer = reply.object() or {}
	if not reply.is_success:
		raise error_from(reply)
	handle = text_of(answer.get("h"))
	if not handle:
		raise UnknownOutcome("WhatsApp's answer names no file.", code="no_id")
	return handle
