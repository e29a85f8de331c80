"""Statuses, reactions and edits that missed their message because both were written in the same instant."""

from __future__ import annotations

from khalifa_whatsapp.core import message_state
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.services.isolation import batch_or_one_by_one, check
from khalifa_whatsapp.services.outbound import status_changes
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.stores.base import Store


def apply_parked(store: Store, now_ms: int, limit: int = 500) -> int:
	"""Give rows said of a known message to it. How many. The minute job calls it; as a rule there are none.

	Raises `RowsFailed`, with keys of messages, after all others.
	"""
	outcome = batch_or_one_by_one(
		lambda: _apply(store, now_ms, limit),
		lambda: _parked(store, now_ms, limit),
		lambda key: _apply(store, now_ms, limit, key),
	)
	check(outcome.failed)
	return sum(outcome.done)


def _parked(store: Store, now_ms: int, limit: int) -> list[str]:
	with store.transaction():
		return list(dict.fromkeys(log.target_key for log in store.parked_logs(now_ms - 2 * DAY_MS, limit)))


def _apply(store: Store, now_ms: int, limit: int, only: str | None = None) -> int:
	with working(store, now_ms) as work:
		logs = store.parked_logs(now_ms - 2 * DAY_MS, limit)
		parked = [log for log in logs if only in (None, log.target_key)]
		messages = store.messages_by_key({log.target_key for log in parked})
		logs = store.logs(messages)
		for key, message in messages.items():
			before = message.status
			rows = [log for log in logs if log.target_key == key]
			for log in rows:
				log.message = message.name
				work.touch(log)
			if message_state.fold(message, rows):
				work.touch(message)
			if message.status != before:
				status_changes.status_changed(work, message, before)
		return len(parked)
