"""What Meta says of the account and the number, in sentences for managers: bans, restrictions, quality,
limits, names.

Source: the reference of each webhook field (`account_update`, `account_alerts`,
`phone_number_quality_update`, …). A word that is not known here is shown as Meta wrote it: nothing is dropped
for being new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from khalifa_whatsapp.drivers.base import CRITICAL, INFO, WARNING, AccountNotice
from khalifa_whatsapp.drivers.cloud_api.errors import describe, details_of
from khalifa_whatsapp.drivers.payload import dict_of, json_value, list_of, text_of

MAX_VALUE = 140  # characters of Meta's own words in a sentence
SEVERITIES = {"CRITICAL": CRITICAL, "WARNING": WARNING}
# `account_update` events that are about contracts between firms, not about whether the number works
QUIET_UPDATES = frozenset(
	{
		"AD_ACCOUNT_LINKED",
		"AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
		"BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
		"MM_LITE_TERMS_SIGNED",
		"PARTNER_ADDED",
		"PARTNER_APP_INSTALLED",
		"PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
		"VOLUME_BASED_PRICING_TIER_UPDATE",
	}
)


@dataclass(frozen=True, slots=True)
class NoticeText:
	"""A sentence with its values, how grave it is, and what it makes known of the device."""

	text: str
	severity: str = INFO
	values: Mapping[str, str] = field(default_factory=dict)
	facts: Mapping[str, str] = field(default_factory=dict)
	is_for_people: bool = True


def notice(kind: str, value: dict[str, Any], at_ms: int = 0) -> AccountNotice:
	"""One webhook field's value as a notice. Total: an unknown field or event has a sentence, too."""
	notice_text = _BUILDERS.get(kind, _other)(value)
	return AccountNotice(
		kind,
		json_value(value),
		notice_text.severity,
		notice_text.text,
		_short(notice_text.values),
		_short(notice_text.facts),
		notice_text.is_for_people,
		at_ms,
	)


def error_notice(error: dict[str, Any], at_ms: int = 0) -> AccountNotice:
	"""An error that belongs to the number and to no message of ours; managers hear of it if they must act."""
	code, kind, text = describe(error)
	data = {"code": code, "kind": kind, "text": text, "details": details_of(error)}
	is_for_people = kind == "auth"
	return AccountNotice(
		"error", data, WARNING if is_for_people else INFO, text, is_for_people=is_for_people, at_ms=at_ms
	)


def _short(values: Mapping[str, str]) -> dict[str, str]:
	return {key: value[:MAX_VALUE] for key, value in values.items() if value}


# -- the account


def _account_update(value: dict[str, Any]) -> NoticeText:
	event = text_of(value.get("event"))
	build = _UPDATES.get(event)
	if build is not None:
		return build(value)
	return NoticeText(
		"Meta changed something of the account: {event}.",
		INFO,
		{"event": event},
		is_for_people=event not in QUIET_UPDATES,
	)


def _restriction(value: dict[str, Any]) -> NoticeText:
	listed = (
		list_of(value.get("restriction_info"))
		or list_of(value.get("restrictions"))
		or [value.get("restrictions")]
	)
	kinds = sorted({text_of(dict_of(item).get("restriction_type")) for item in listed} - {""})
	values = {"restriction": ", ".join(kinds)}
	return NoticeText(
		"Meta has restricted the account: {restriction}.", CRITICAL, values, {"state": "restricted"}
	)


def _violation(value: dict[str, Any]) -> NoticeText:
	kind = text_of(dict_of(value.get("violation_info")).get("violation_type"))
	return NoticeText("Meta reports a violation of its policy: {violation}.", WARNING, {"violation": kind})


def _ban(value: dict[str, Any]) -> NoticeText:
	info = dict_of(value.get("ban_info"))
	state, date = text_of(info.get("waba_ban_state")), text_of(info.get("waba_ban_date"))
	if state == "REINSTATE":
		return NoticeText("Meta has lifted the ban of the account.", INFO, facts={"state": "connected"})
	if state == "SCHEDULE_FOR_DISABLE":
		return NoticeText("Meta will ban the account on {date}.", CRITICAL, {"date": date})
	return NoticeText(
		"Meta has banned the account ({date}).", CRITICAL, {"date": date}, {"state": "restricted"}
	)


def _deleted(value: dict[str, Any]) -> NoticeText:
	return NoticeText("The business account was deleted at Meta.", CRITICAL, facts={"state": "disconnected"})


def _left(value: dict[str, Any]) -> NoticeText:
	return NoticeText("The number was taken out of the Cloud API.", CRITICAL, facts={"state": "disconnected"})


def _came_back(value: dict[str, Any]) -> NoticeText:
	return NoticeText("The number is connected to the Cloud API again.", INFO, facts={"state": "connected"})


def _verified(value: dict[str, Any]) -> NoticeText:
	return NoticeText("Meta has verified the account.")


_UPDATES: dict[str, Callable[[dict[str, Any]], NoticeText]] = {
	"ACCOUNT_RESTRICTION": _restriction,
	"ACCOUNT_VIOLATION": _violation,
	"DISABLED_UPDATE": _ban,
	"ACCOUNT_DELETED": _deleted,
	"ACCOUNT_OFFBOARDED": _left,
	"ACCOUNT_RECONNECTED": _came_back,
	"VERIFIED_ACCOUNT": _verified,
}


def _alert(value: dict[str, Any]) -> NoticeText:
	info = dict_of(value.get("alert_info")) or value  # older versions had no inner object
	kind, description = text_of(info.get("alert_type")), text_of(info.get("alert_description"))
	severity = SEVERITIES.get(text_of(info.get("alert_severity")), INFO)
	return NoticeText(
		"Meta warns: {alert}.", severity, {"alert": ": ".join(filter(None, (kind, description))).rstrip(".")}
	)


def _review(value: dict[str, Any]) -> NoticeText:
	decision = text_of(value.get("decision"))
	severity = CRITICAL if decision == "REJECTED" else INFO
	return NoticeText("Meta's review of the account: {decision}.", severity, {"decision": decision})


def _capability(value: dict[str, Any]) -> NoticeText:
	names = (
		"max_daily_conversations_per_business",
		"max_daily_conversation_per_phone",
		"max_daily_conversations_per_phone",
	)
	limit = next((text for name in names if (text := text_of(value.get(name)))), "")
	return NoticeText(
		"The account may begin conversations with {limit} customers a day.",
		INFO,
		{"limit": limit},
		{"messaging_limit": limit},
	)


# -- the number


def _quality(value: dict[str, Any]) -> NoticeText:
	event, number = text_of(value.get("event")), text_of(value.get("display_phone_number"))
	limit = text_of(value.get("max_daily_conversations_per_business")) or text_of(value.get("current_limit"))
	text, severity, quality = _QUALITY.get(
		event, ("Meta changed something of the number {number}: {event}.", INFO, "")
	)
	values = {"number": number, "event": event, "limit": limit}
	return NoticeText(text, severity, values, {"quality": quality, "messaging_limit": limit})


_QUALITY = {
	"FLAGGED": (
		"The quality of {number} is low: too many customers blocked or reported it.",
		CRITICAL,
		"RED",
	),
	"UNFLAGGED": ("The quality of {number} is good again.", INFO, "GREEN"),
	"DOWNGRADE": ("The limit of {number} was lowered: {limit}.", WARNING, ""),
	"UPGRADE": ("The limit of {number} was raised: {limit}.", INFO, ""),
	"ONBOARDING": ("The number {number} is ready to send: {limit}.", INFO, ""),
	"THROUGHPUT_UPGRADE": ("The number {number} may send faster now.", INFO, ""),
}


def _name(value: dict[str, Any]) -> NoticeText:
	decision = text_of(value.get("decision"))
	name, why = text_of(value.get("requested_verified_name")), text_of(value.get("rejection_reason"))
	values = {"name": name, "decision": decision, "reason": why}
	facts = {"name_status": decision}
	if decision == "APPROVED":
		return NoticeText("Meta approved the display name {name}.", INFO, values, facts)
	if decision in ("REJECTED", "DECLINED"):
		return NoticeText("Meta rejected the display name {name}: {reason}.", WARNING, values, facts)
	return NoticeText("Meta's decision on the display name {name}: {decision}.", WARNING, values, facts)


def _security(value: dict[str, Any]) -> NoticeText:
	values = {"number": text_of(value.get("display_phone_number")), "event": text_of(value.get("event"))}
	return NoticeText("The two-step verification of {number} was changed: {event}.", WARNING, values)


def _other(value: dict[str, Any]) -> NoticeText:
	event = text_of(value.get("event")) or text_of(value.get("decision"))
	return NoticeText("Meta changed something of the account: {event}.", INFO, {"event": event})


_BUILDERS: dict[str, Callable[[dict[str, Any]], NoticeText]] = {
	"account_update": _account_update,
	"account_alerts": _alert,
	"account_review_update": _review,
	"business_capability_update": _capability,
	"phone_number_quality_update": _quality,
	"phone_number_name_update": _name,
	"security": _security,
}
