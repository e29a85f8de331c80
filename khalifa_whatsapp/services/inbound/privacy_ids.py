"""Whose a privacy id (LID) is: the gateway is asked before a batch is taken in, outside its transaction.

Without an answer the messages are taken in all the same: a later one that names both makes one customer of
the two. What is learnt is kept as the customer's identities, and when an id was asked for with the id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import account_of
from khalifa_whatsapp.core.identity import LID, PHONE, Identity
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.abilities import IdentityResolver
from khalifa_whatsapp.services.unit_of_work import retrying
from khalifa_whatsapp.stores.base import Store

Aliases = Mapping[Identity, tuple[Identity, ...]]  # what was asked, and all names of the same person
MAX_ASKED = 20  # before one batch: each is a call to the gateway
ASK_AGAIN_MS = DAY_MS  # the gateway may learn a number that it did not know


class PrivacyIds:
	"""The privacy ids of one drain. A gateway that gives no answer is not asked again in it."""

	def __init__(self, driver: base.MessageDriver) -> None:
		self._driver = driver
		self._is_silent = not isinstance(driver, IdentityResolver)
		self._aliases: dict[Identity, tuple[Identity, ...]] = {}

	def ask(self, store: Store, now_ms: int, limit: int) -> Aliases:
		"""Learn who wrote the deliveries that are due, as far as it is not known."""
		if self._is_silent:
			return self._aliases
		for identity in retrying(lambda: self._unknown(store, now_ms, limit))[:MAX_ASKED]:
			try:
				self._aliases[identity] = self._driver.resolve(identity)  # type: ignore[attr-defined]
			except base.SendError:
				self._is_silent = True
				break
		return self._aliases

	def _unknown(self, store: Store, now_ms: int, limit: int) -> list[Identity]:
		"""Privacy ids of those who write, or are written to, without a phone; each once, in their order."""
		with store.transaction():
			webhook_events = store.due_webhook_events(self._driver.config.name, now_ms, limit)
			wanted = dict.fromkeys(one for webhook_event in webhook_events for one in self._in(webhook_event))
			fresh = [one for one in wanted if one not in self._aliases]
			known = store.identities([one.key for one in fresh])
			mates = store.identities_of({row.customer for row in known.values()})
		return [one for one in fresh if _is_worth_asking(known.get(one.key), mates, now_ms)]

	def _in(self, webhook_event: records.WebhookEvent) -> Iterable[Identity]:
		if (
			b"@lid" not in webhook_event.body and b'"lid"' not in webhook_event.body
		):  # most: not worth reading twice
			return
		try:
			events = self._driver.parse(webhook_event.body)
		except Exception:
			# whatever a delivery can provoke: the batch finds it too, and writes down what is wrong
			return
		for event in events:
			people: tuple[Any, ...] = ()
			if isinstance(event, base.InboundMessage):
				people = event.sender
			elif isinstance(event, base.OutboundEcho):
				people = event.recipient
			if not any(one.kind == PHONE for one in people):
				yield from (one for one in people if one.kind == LID)


def _is_worth_asking(
	row: records.CustomerIdentity | None, mates: Mapping[str, list[records.CustomerIdentity]], now_ms: int
) -> bool:
	if row is None:
		return True
	of_account = [one for one in mates.get(row.customer, ()) if account_of(one) == account_of(row)]
	has_phone = any(one.kind == PHONE for one in of_account)
	return not has_phone and now_ms - (row.asked_ms or 0) >= ASK_AGAIN_MS
