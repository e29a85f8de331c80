"""What people decide about customers: a second number, two who are one."""

from __future__ import annotations

from khalifa_whatsapp.core import audit as kinds
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import main_phone
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.core.identity import of_phone
from khalifa_whatsapp.core.phones import MESSAGES, Phone, PhoneError, from_person
from khalifa_whatsapp.services import audit
from khalifa_whatsapp.services.customers import merging
from khalifa_whatsapp.services.customers.identities import NOT_A_DUPLICATE, show_name
from khalifa_whatsapp.services.tickets.notices import notify_owner
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store


def link_phone(store: Store, actor: Actor, customer: str, text: str, now_ms: int) -> records.CustomerIdentity:
	"""Give a customer one more phone, as a person typed it."""

	def run() -> records.CustomerIdentity:
		with working(store, now_ms, actor) as work:
			identity = of_phone(_phone(text, work.rules.settings.default_region))
			keys = {form.key for form in identity.forms}
			known = next(iter(sorted(store.identities(keys).values(), key=lambda row: row.name)), None)
			if known is not None and known.customer != customer:
				raise UserError(
					"phone_of_other", "This phone belongs to another customer. Merge the two instead."
				)
			record = customer_of(work, customer)
			if known is not None:
				return known
			row = records.CustomerIdentity(
				work.new_name(), identity.key, identity.kind, identity.value, customer
			)
			row.account = row.name
			rows = [*store.identities_of([customer], locked=True).get(customer, []), work.add(row)]
			show_customer(work, record, rows)
			_publish_tickets(work, customer, "number_added", identity.value)
			return row

	return retrying(run)


def _phone(text: str, region: str) -> Phone:
	try:
		return from_person(text, region)
	except PhoneError as error:
		raise UserError(error.code, MESSAGES[error.code], **error.values) from error


def customer_of(work: UnitOfWork, name: str) -> records.Customer:
	"""The customer, locked. Whoever became part of another is no customer any more."""
	customer = work.store.customers([name]).get(name)
	if customer is None or customer.merged_into:
		raise NotFound("no_such_customer", "There is no such customer.")
	return customer


def show_customer(work: UnitOfWork, customer: records.Customer, rows: list[records.CustomerIdentity]) -> None:
	"""Phone and name as they follow from these identities, here and wherever the name is kept."""
	customer.phone = main_phone(rows)
	show_name(customer, rows)
	work.changes.renamed.add(customer.name)
	work.touch(customer)


def _publish_tickets(work: UnitOfWork, customer: str, event: str, reason: str) -> None:
	"""A line in the customer's conversations that are open."""
	pairs = [(customer, device) for device in work.store.devices_of_customer(customer)]
	for ticket in work.store.latest_tickets(pairs).values():
		if ticket.open_key is not None:
			work.log(ticket, event, reason=reason)
			notify_owner(work, ticket, "changed")


def merge(store: Store, actor: Actor, source: str, target: str, now_ms: int) -> records.Customer:
	"""Make `source` part of `target`: identities, tickets and messages move;
	of two open tickets one goes on.
	"""
	if not actor.is_manager:
		raise NotAllowed("only_managers_merge", "Only a manager merges customers.")
	if source == target:
		raise UserError("same_customer", "Choose two different customers.")

	def run() -> records.Customer:
		with working(store, now_ms, actor) as work:
			customer_of(work, source), customer_of(work, target)
			return merging.merge(work, source, target)

	return retrying(run)


def keep_apart(store: Store, actor: Actor, customer: str, now_ms: int) -> records.Customer:
	"""A manager says that a customer is not the other one that a gateway's word made him or her look like."""
	if not actor.is_manager:
		raise NotAllowed("only_managers_merge", "Only a manager merges customers.")

	def run() -> records.Customer:
		with working(store, now_ms, actor) as work:
			record = customer_of(work, customer)
			if record.duplicate_of:
				record.duplicate_state = NOT_A_DUPLICATE
				work.touch(record)
				audit.note(
					work,
					kinds.CUSTOMER,
					kinds.KEPT_APART,
					document_type=records.Customer.DOCTYPE,
					document=record.name,
					title=record.name,
					values={"from": record.duplicate_of},
				)
			return record

	return retrying(run)


# -- a number that may have a new holder
