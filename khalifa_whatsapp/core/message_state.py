"""What became of a message, folded from all that gateways said of it.

Gateways promise no order and repeat themselves. So nothing here depends on order: a fold over the same set of
log rows, in any order and with any repetition, gives the same state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from khalifa_whatsapp.core.cost import DUE, OPEN, PRICED, category_of
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
	statuses = [row for row in rows if row.kind == "status"]
	_fold_statuses(message, statuses)
	_fold_price(message, statuses)
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
		message.delivered_ms,
		message.price_state,
		message.price_category,
		message.price_type,
		message.cost_micros,
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


def _fold_price(message: Message, rows: list[MessageLog]) -> None:
	"""When it was delivered, and what is said of its price: the most telling row, whenever it came.

	A message that its gateway charges for is to be priced once it is delivered, and anew when more is said.
	"""
	if message.direction != OUTGOING:
		return
	reached = [row.at_ms for row in rows if RANK.get(_BY_STATUS.get(row.value, ""), 0) >= RANK[DELIVERED]]
	if reached:
		message.delivered_ms = min([*reached, *filter(None, [message.delivered_ms])])
	category, price_type, micros, currency = _pricing(rows)
	category = category and category_of(category)  # as the price is kept: else every status would be news
	known = (message.price_category, message.price_type)
	message.price_category = category or message.price_category
	message.price_type = price_type or message.price_type
	is_news = (message.price_category, message.price_type) != known
	if message.delivered_ms and micros is not None:
		message.cost_micros, message.cost_currency, message.price_state = micros, currency, PRICED
	elif message.delivered_ms and (is_news or message.price_state == OPEN):
		message.price_state = DUE


def _pricing(rows: list[MessageLog]) -> tuple[str, str, int | None, str]:
	"""Category, type, amount and currency. Gateways say it with each status: in whatever order they come,
	what names an amount counts first.
	"""
	reported: list[tuple[str, str, int | None, str]] = [
		(category, price_type, micros, currency)
		for row in rows
		if row.pricing
		for category, price_type, micros, currency in [json.loads(row.pricing)]
	]
	return max(reported, key=lambda one: (one[2] is not None, str(one)), default=("", "", None, ""))


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
