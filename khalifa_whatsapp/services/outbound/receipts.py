"""Customers see that we have read, and that somebody is writing: a courtesy, which nothing waits for.

What can't be shown now is not shown at all: no attempt is kept, nobody is told, no clock knows of it.
"""

from __future__ import annotations

from khalifa_whatsapp.core.accounts import route
from khalifa_whatsapp.core.records import CLOSED
from khalifa_whatsapp.drivers.abilities import ReadReceipts
from khalifa_whatsapp.drivers.base import MessageDriver, MessageRef, SendError
from khalifa_whatsapp.services.outbound import destination
from khalifa_whatsapp.stores.base import Store


def show(store: Store, driver: MessageDriver, ticket: str, is_typing: bool = False) -> bool:
	"""Mark the customer's latest message as read, and show that an answer is being written if `is_typing`.

	Whether the gateway has taken it.
	"""
	if not isinstance(driver, ReadReceipts):
		return False
	with store.transaction():
		message = store.newest_incoming(ticket, driver.config.provider)
		record = store.tickets([ticket]).get(ticket)
		if message is None or record is None or (is_typing and record.status == CLOSED):
			return False
		way = route(destination.identities(store, message.customer), message.identity)
	try:
		driver.mark_read(MessageRef(message.gateway_id or "", message.scope), way.recipient, is_typing)
	except SendError:  # the outbox, which must get through, finds out what is wrong
		return False
	return True
