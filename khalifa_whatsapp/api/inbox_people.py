"""Whom a conversation is with, as its readers are told: where an answer goes,
and whether the number may have a new holder.
"""

from __future__ import annotations

from typing import Any

from frappe import _

from khalifa_whatsapp.api.history import shown_number
from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import account_of, is_left, new_holder, route
from khalifa_whatsapp.core.identity import PHONE
from khalifa_whatsapp.core.phones import from_gateway
from khalifa_whatsapp.services.outbound import destination, payloads


def label(row: records.CustomerIdentity) -> str:
	"""A number as people read it, or the id that stands in its place."""
	if row.kind == PHONE:
		return from_gateway(row.value).display()
	return _("WhatsApp ID {0}").format(row.value)


class People:
	"""The identities of a conversation's customer."""

	def __init__(self, ticket: Any) -> None:
		self.ticket = ticket
		self.rows = on_site().identities_of([ticket.customer]).get(ticket.customer, [])
		self.route = route(self.rows, ticket.identity)
		self.has_several = len({account_of(row) for row in self.rows}) > 1 or any(map(is_left, self.rows))

	def window_from_ms(self) -> int | None:
		"""What the window of whom an answer goes to is counted from."""
		return destination.window_from_ms(on_site(), self.ticket, self.route, self.rows)

	def head(self) -> dict[str, Any]:
		"""Where an answer goes, said where there is a choice; and what a person must decide."""
		holder = new_holder(self.rows)
		chosen = self.route.chosen
		is_lost = self.route.is_moved and chosen is None
		return {
			"answers_to": label(chosen) if chosen is not None and (self.has_several or holder) else "",
			"cannot_answer": _(payloads.NUMBER_LEFT) if is_lost else "",
			"new_holder": shown_number(holder.phone) if holder is not None else "",
		}

	def name(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
		"""Say of each message as whom the customer wrote it or gets it, where there is more than one."""
		labels = {row.name: label(row) for row in self.rows} if self.has_several else {}
		for item in items:
			if item["kind"] == "message":
				item["identity"] = labels.get(item["identity"]) or ""
		return items
