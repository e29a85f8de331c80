"""What became of a message, folded from all that gateways said of it.

Gateways promise no order and repeat themselves. So nothing here depends on order: a fold over the same set of
log rows, in any order and with any repetition, gives the same state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from khalifa_whatsapp.core.records import (
	DELIVERED,
	FAILED,
	MSG_QUEUED,
	OUTGOING,
	PLAYED,
	READ,
	SENDING,
	SENT,
	UNKNOWN,
	Message,
	MessageLog,
)

RANK = {MSG_QUEUED: 0, SENDING: 0, UNKNOWN: 0, SENT: 1, DELIVERED: 2, READ: 3, PLAYED: 4}
ME, CUSTOMER = "me", "customer"  # who put a reaction
_BY_STATUS = {"queued": MSG_QUEUED, "sent": SENT, "delivered": DELIVERED, "read": READ, "played": PLAYED}


def fold(message: Message, logs: Iterable[MessageLog]) -> bool:
	"""Apply `logs` (any subset, any order) to the message. True when it changed."""
	before = _seen(message)
	rows = sorted(logs, key=lambda row: (row.at_ms, row.log_key))
	_fold_statuses(message, [row for row in rows if row.kind == "status"])
	_fold_content(message, rows)
	_fold_reactions(message, [row for row in rows if row.kind == "reaction"])
	return _seen(message) != before


def _seen(message: Message) -> tuple[object, ...]:
	return (
		message.status,
		message.error_code,
		message.error_text,
		message.body,
		message.is_edited,
		message.is_revoked,
		message.reactions,
	)


def _fold_statuses(message: Message, rows: list[MessageLog]) -> None:
	if message.direction != OUTGOING:
		return
	for row in rows:
		status = _BY_STATUS.get(row.value)
		if status and (message.status == FAILED or RANK[status] > RANK.get(message.status, 0)):
			_rise(message, status)
	failures = [row for row in rows if row.value == "failed"]
	if failures and RANK.get(message.status, 0) < RANK[DELIVERED]:
		_fail(message, failures[0])


def _rise(message: Message, status: str) -> None:
	"""Delivered beats an earlier or later `failed`; a bare `sent` does not lift a failure."""
	if message.status == FAILED and RANK[status] < RANK[DELIVERED]:
		return
	message.status = status
	message.error_code = message.error_kind = message.error_text = None


def _fail(message: Message, row: MessageLog) -> None:
	message.status = FAILED
	message.error_code, message.error_kind, message.error_text = (
		row.error_code,
		row.error_kind,
		row.error_text,
	)


def _fold_content(message: Message, rows: list[MessageLog]) -> None:
	edits = [row for row in rows if row.kind == "edit"]
	if edits:
		latest = max(edits, key=lambda row: (row.at_ms, row.value))
		message.body, message.is_edited = latest.value, 1
	if any(row.kind == "revoke" for row in rows):
		message.is_revoked = 1


def _fold_reactions(message: Message, rows: list[MessageLog]) -> None:
	"""A chat has two sides: whatever identity the customer's phone gives, the reaction is the customer's."""
	if not rows:
		return
	latest: dict[str, MessageLog] = {}
	for row in rows:
		author = row.author if row.author == ME else CUSTOMER
		held = latest.get(author)
		if held is None or (row.at_ms, row.value) > (held.at_ms, held.value):
			latest[author] = row
	shown = {author: row.value for author, row in sorted(latest.items()) if row.value}
	message.reactions = json.dumps(shown, ensure_ascii=False) if shown else None
