"""People who turn out to be one: a second number linked, two customers merged. Never guessed, always asked for."""

from __future__ import annotations

from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.core.arabic import normalise
from khalifa_whatsapp.core.errors import NotAllowed, NotFound, UserError
from khalifa_whatsapp.core.identity import of_phone
from khalifa_whatsapp.core.keys import open_key
from khalifa_whatsapp.core.phones import MESSAGES, Phone, PhoneError, from_person
from khalifa_whatsapp.services import turns
from khalifa_whatsapp.services.conversation import close_ticket
from khalifa_whatsapp.services.work import Actor, Work, retrying, working
from khalifa_whatsapp.stores.base import Store


def link_phone(store: Store, actor: Actor, customer: str, text: str, now_ms: int) -> r.CustomerIdentity:
	"""Give a customer one more phone, as a person typed it."""

	def run() -> r.CustomerIdentity:
		with working(store, now_ms, actor) as work:
			identity = of_phone(_phone(text, work.rules.settings.default_region))
			known = store.identities([identity.key]).get(identity.key)
			if known is not None and known.customer != customer:
				raise UserError("phone_of_other", "This phone belongs to another customer. Merge the two instead.")
			found = _customer(work, customer)
			if known is not None:
				return known
			found.phone = found.phone or identity.value
			found.search_text = normalise(f"{found.search_text} {identity.value}")
			work.touch(found)
			row = r.CustomerIdentity(work.new_name(), identity.key, identity.kind, identity.value, customer)
			return work.add(row)

	return retrying(run)


def _phone(text: str, region: str) -> Phone:
	try:
		return from_person(text, region)
	except PhoneError as error:
		raise UserError(error.code, MESSAGES[error.code], **error.values) from error


def merge(store: Store, actor: Actor, source: str, target: str, now_ms: int) -> r.Customer:
	"""Make `source` part of `target`: identities, tickets and messages move; of two open tickets one goes on."""
	if not actor.is_manager:
		raise NotAllowed("only_managers_merge", "Only a manager merges customers.")
	if source == target:
		raise UserError("same_customer", "Choose two different customers.")

	def run() -> r.Customer:
		with working(store, now_ms, actor) as work:
			gone, kept = _customer(work, source), _customer(work, target)
			for device in store.devices_of_customer(source):
				_join_tickets(work, gone, kept, device)
			kept.phone = kept.phone or gone.phone
			gone.merged_into, gone.phone = target, None
			kept.last_in_ms = max(kept.last_in_ms or 0, gone.last_in_ms or 0) or None
			kept.is_opted_out = max(kept.is_opted_out, gone.is_opted_out)
			kept.search_text = normalise(f"{kept.search_text} {gone.search_text}")
			work.touch(gone)
			work.touch(kept)
			work.finish()
			store.move_customer(source, target)
			return kept

	return retrying(run)


def _customer(work: Work, name: str) -> r.Customer:
	found = work.store.customers([name]).get(name)
	if found is None or found.merged_into:
		raise NotFound("no_such_customer", "There is no such customer.")
	return found


def _join_tickets(work: Work, gone: r.Customer, kept: r.Customer, device: str) -> None:
	latest = work.store.latest_tickets([(gone.name, device), (kept.name, device)])
	old, new = latest.get((gone.name, device)), latest.get((kept.name, device))
	if old is None or old.open_key is None:
		return
	if new is None or new.open_key is None:
		old.customer, old.customer_name = kept.name, kept.customer_name
		old.open_key = open_key(kept.name, device)
		work.touch_ticket(old)
		return
	waiting = old.waiting_since_ms
	close_ticket(work, old, "merged", r.NO_REPLY_NEEDED)
	old.customer, old.customer_name = kept.name, kept.customer_name
	if waiting is not None:
		_take_over_wait(work, new, waiting)
	work.touch_ticket(new)


def _take_over_wait(work: Work, ticket: r.Ticket, since_ms: int) -> None:
	"""The customer waited in the other ticket: the wait goes on in this one, with its start."""
	if ticket.waiting_since_ms is None:
		turns.customer_waits(work, ticket, since_ms, work.now_ms)
	elif since_ms < ticket.waiting_since_ms:
		turns.start_earlier(work, ticket, since_ms)
