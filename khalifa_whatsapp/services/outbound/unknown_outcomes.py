"""Doubtful messages and the chat's own log: what the gateway shows as sent was sent.

Nothing is ever sent again here. What is not found stays *Unknown* for a person.
"""

from __future__ import annotations

from collections.abc import Callable

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.core.keys import message_key
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.abilities import ChatLog
from khalifa_whatsapp.services.outbound.results import accepted
from khalifa_whatsapp.services.unit_of_work import retrying, working
from khalifa_whatsapp.stores.base import Store

SETTLE_MS = 10_000  # a message that is just being sent may still be answered
CLOCK_SLACK_MS = MINUTE_MS  # gateways keep whole seconds, and their own clock
MAX_CHATS = 20  # looked at in one run


def reconcile(store: Store, driver: base.MessageDriver, clock: Callable[[], int]) -> int:
	"""Look for the device's doubtful messages in their chats; how many turned out to be sent."""
	if not isinstance(driver, ChatLog):
		return 0
	now_ms = clock()
	oldest_ms = now_ms - round(store.rules().settings.unknown_minutes * MINUTE_MS)
	settled = 0
	for customer, messages in _by_customer(store, driver.config.name, oldest_ms, now_ms - SETTLE_MS).items():
		recipient = _identities(store, customer)
		try:
			log = driver.last_sent(recipient)
		except base.SendError:  # it can't be asked now: the next run asks again
			continue
		settled += retrying(lambda doubted=messages, said=log: _match(store, driver, clock(), doubted, said))  # type: ignore[misc]
	return settled


def _by_customer(store: Store, device: str, from_ms: int, to_ms: int) -> dict[str, list[records.Message]]:
	chats: dict[str, list[records.Message]] = {}
	with store.transaction():
		for message in store.unknown_messages(device, from_ms, to_ms, MAX_CHATS * 5):
			if message.customer in chats or len(chats) < MAX_CHATS:
				chats.setdefault(message.customer, []).append(message)
	return chats


def _identities(store: Store, customer: str) -> tuple[Identity, ...]:
	with store.transaction():
		return tuple(
			Identity(row.kind, row.value) for row in store.identities_of([customer]).get(customer, [])
		)


def _match(
	store: Store,
	driver: base.MessageDriver,
	now_ms: int,
	messages: list[records.Message],
	log: list[base.OutboundEcho],
) -> int:
	"""Give each doubtful message the first bubble that says the same, was sent after it began,
	and is nobody else's.
	"""
	with working(store, now_ms) as work:
		keys = {message_key(driver.config.name, echo.ref.scope, echo.ref.gateway_id): echo for echo in log}
		# what we knew only as typed on the phone may be ours
		taken = {key for key, row in store.messages_by_key(keys).items() if row.origin != records.PHONE}
		free = [(key, echo) for key, echo in keys.items() if key not in taken]
		count = 0
		for message in messages:
			place = next((n for n, (_, echo) in enumerate(free) if _is_same(message, echo)), None)
			if place is None:
				continue
			echo = free.pop(place)[1]
			count += accepted(work, driver, message, base.Accepted(echo.ref))
		return count


def _is_same(message: records.Message, echo: base.OutboundEcho) -> bool:
	return (
		echo.content_type == message.content_type
		and echo.body.strip() == message.body.strip()
		and echo.sent_ms >= (message.started_ms or 0) - CLOCK_SLACK_MS
	)
