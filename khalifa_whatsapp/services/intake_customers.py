"""The customers a batch speaks of: found by any identity, created on the first message, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.arabic import normalise, safe_name
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.services.turns import MANAGER_ROLE
from khalifa_whatsapp.services.work import Work


class Customers:
	"""Customers by identity, within one transaction."""

	def __init__(self, work: Work) -> None:
		self.work = work
		self.by_identity: dict[str, r.CustomerIdentity] = {}
		self.by_name: dict[str, r.Customer] = {}

	def read(self, identities: Iterable[Identity]) -> None:
		"""Read what is known of these identities."""
		keys = {identity.key for identity in identities}
		if keys:
			self.by_identity = self.work.store.identities(keys)
			self.by_name = self.work.read_customers(self.names())

	def names(self) -> set[str]:
		"""The customers known so far."""
		return {row.customer for row in self.by_identity.values()}

	def resolve(self, identities: Sequence[Identity], profile_name: str, now_ms: int) -> r.Customer:
		"""The customer behind the identities; unknown ones are attached to the one that is known."""
		known = list(dict.fromkeys(
			self.by_identity[i.key].customer for i in identities if i.key in self.by_identity
		))  # fmt: skip
		if len(known) > 1:
			self._report_twins(known)
		customer = self.by_name[known[0]] if known else self._create(identities, now_ms)
		self._attach(customer, identities)
		self._name(customer, profile_name)
		return customer

	def link(self, old: Sequence[Identity], new: Sequence[Identity], now_ms: int) -> None:
		"""A gateway says that these are one person. Two existing customers are never merged silently."""
		self.resolve((*old, *new), "", now_ms)

	def _create(self, identities: Sequence[Identity], now_ms: int) -> r.Customer:
		phone = next((i.value for i in identities if i.kind == "phone"), None)
		customer = r.Customer(self.work.new_name(), phone or "", phone, created_ms=now_ms)
		self.by_name[customer.name] = self.work.customers[customer.name] = self.work.add(customer)
		return customer

	def _attach(self, customer: r.Customer, identities: Sequence[Identity]) -> None:
		for identity in identities:
			if identity.key in self.by_identity:
				continue
			row = r.CustomerIdentity(
				self.work.new_name(), identity.key, identity.kind, identity.value, customer.name
			)
			self.by_identity[identity.key] = self.work.add(row)
			if identity.kind == "phone" and customer.phone is None:
				customer.phone = identity.value
			self._index(customer)

	def _name(self, customer: r.Customer, profile_name: str) -> None:
		"""The name the customer gave, until somebody of ours gives a better one."""
		name = safe_name(profile_name) if profile_name else ""
		if name and customer.customer_name in ("", customer.phone):
			customer.customer_name = name
			self._index(customer)

	def _index(self, customer: r.Customer) -> None:
		if not customer.customer_name:
			customer.customer_name = customer.phone or ""
		customer.search_text = normalise(f"{customer.customer_name} {customer.phone or ''}")
		self.work.touch(customer)

	def _report_twins(self, names: list[str]) -> None:
		self.work.tell("khalifa_whatsapp:twins", {"customers": names}, role=MANAGER_ROLE)
