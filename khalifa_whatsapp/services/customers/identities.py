"""The customers a batch speaks of: found by any identity in any of its forms, created on the first message.

What is kept of an identity are earliest and latest moments of gateways' own time, and what a customer is
shown with (phone, name) is worked out from them: the same deliveries in any order make the same customer. Two
customers become one only when a gateway has named both together and nothing that people wrote is lost; else a
manager is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.accounts import (
	account_of,
	is_left,
	main_phone,
	new_holder,
	personal_kind,
	profile_name,
)
from khalifa_whatsapp.core.arabic import normalise, safe_name
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

FOUND, NOTIFIED, NOT_A_DUPLICATE = "Found", "Told", "Not a Duplicate"
# a customer who is not older than this when a gateway says who it is has no history of another person
FRESH_MS = DAY_MS
Merge = Callable[[str, str], None]  # gone, kept: within the transaction; afterwards everything is read anew


class Customers:
	"""Customers by identity, within one transaction."""

	def __init__(self, work: UnitOfWork, merge: Merge) -> None:
		self.work = work
		self._merge = merge
		self.by_key: dict[str, records.CustomerIdentity] = {}
		self.rows: dict[str, list[records.CustomerIdentity]] = {}
		self.by_name: dict[str, records.Customer] = {}
		self.renamed: set[str] = set()
		self._new: set[str] = set()  # customers whose tickets are all made in this transaction
		# customers whose number has just come with somebody else's id, and the number
		self.doubted: dict[str, str] = {}

	# -- reading
	def read(
		self, identities: Iterable[Identity], mentioned: Iterable[tuple[Sequence[Identity], int]] = ()
	) -> None:
		"""Forget all, and read what is known of these identities.

		Of those that are only mentioned (as recipients, at a time) customers are read where that says
		something new.
		"""
		self.by_key, self.rows, self.by_name = {}, {}, {}
		named, mentioned = set(identities), list(mentioned)
		keys = {
			form.key
			for one in (*named, *(one for group, _ in mentioned for one in group))
			for form in one.forms
		}
		if keys:
			self.by_key = dict(self.work.store.identities(keys))
			news = [one for group, at_ms in mentioned if self.is_news(group, at_ms) for one in group]
			self.load(self._known((*named, *news)))

	def is_news(self, identities: Sequence[Identity], at_ms: int) -> bool:
		"""Whether it is not known yet that these were one account's at that time."""
		rows = [self.by_key.get(identity.key) for identity in identities]
		known = [row for row in rows if row is not None]
		ids = [row for row in known if row.kind != PHONE]
		is_older = any(row.since_ms is None or at_ms < row.since_ms for row in ids)
		is_apart = len({(row.customer, account_of(row)) for row in known}) > 1
		return len(known) < len(rows) or is_apart or is_older

	def load(self, names: Collection[str]) -> None:
		"""Read customers with all their identities, those at hand excepted."""
		wanted = set(names) - self.by_name.keys()
		if not wanted:
			return
		self.by_name.update(self.work.read_customers(wanted))
		for name, rows in self.work.store.identities_of(wanted, locked=True).items():
			self.rows[name] = rows
			self.by_key.update((row.identity_key, row) for row in rows)

	def customer(self, name: str) -> records.Customer:
		"""A customer; a merge may have read all anew since it was last looked at."""
		self.load([name])
		return self.by_name[name]

	def names(self) -> set[str]:
		"""The customers known so far."""
		return set(self.by_name)

	def row(self, identity: Identity) -> records.CustomerIdentity | None:
		"""What is stored of an identity, in whatever form."""
		return next((self.by_key[form.key] for form in identity.forms if form.key in self.by_key), None)

	def _known(self, identities: Iterable[Identity]) -> list[str]:
		"""Whose these are, in their order."""
		rows = map(self.row, identities)
		return list(dict.fromkeys(row.customer for row in rows if row is not None))

	# -- who it is
	def resolve(
		self, identities: Sequence[Identity], at_ms: int, has_written: bool = False
	) -> records.Customer:
		"""The customer behind identities that a gateway named together at `at_ms`;
		unknown ones are attached.
		"""
		known = self._known(identities)
		self.load(known)
		customer = self.customer(self._one_of(known, identities, at_ms)) if known else self._create()
		self._attach(customer, identities, at_ms, has_written)
		return customer

	def _one_of(self, known: list[str], identities: Sequence[Identity], at_ms: int) -> str:
		first = known[0]
		if len(known) > 1 and (owner := self._owner_of_id(identities)):
			return self._with_number(owner, first, at_ms)
		for other in known[1:]:
			first = self._unite(first, other, at_ms)
		return first

	def _owner_of_id(self, identities: Sequence[Identity]) -> str:
		"""Whose the user id is, when its number belongs to another user id: an id stays with its person,
		a number may not.
		"""
		for phone in identities:
			row = self.row(phone) if phone.kind == PHONE else None
			for one in identities:
				kind = personal_kind(one.kind, one.value)
				held = self.row(one) if kind and row else None
				if held is None or row is None or held.customer == row.customer:
					continue
				if any(self._is_other_id(mate, one) for mate in self._account(row)):
					return held.customer
		return ""

	def _with_number(self, owner: str, holder: str, at_ms: int) -> str:
		"""Whoever has just begun to write under an id alone is asked about with the number's customer;
		others are apart.
		"""
		is_new = self.customer(owner).created_ms >= at_ms - FRESH_MS
		if not is_new or self._phones(owner) or not self._may_go(owner, holder):
			return owner
		self._merge(owner, holder)
		return holder

	def _is_other_id(self, row: records.CustomerIdentity, identity: Identity) -> bool:
		kind = personal_kind(row.kind, row.value)
		return kind == identity.kind and row.value != identity.value and not is_left(row)

	def _account(self, row: records.CustomerIdentity) -> list[records.CustomerIdentity]:
		return [mate for mate in self.rows.get(row.customer, ()) if account_of(mate) == account_of(row)]

	def belongs_to(
		self, customer: str, identities: Sequence[Identity], at_ms: int, mate: str | None = None
	) -> None:
		"""A gateway ties identities without a known owner to a customer: a message to or a quote from him or
		her names them.

		`mate` is an identity of the same account. A customer who exists by ids alone becomes part of this
		one.
		"""
		known = self._known(identities)
		self.load([customer, *known])
		if customer not in self.by_name:
			return
		for other in known:
			if other != customer and not self._phones(other) and self._may_go(other, customer):
				self._merge(other, customer)
		if set(self._known(identities)) <= {customer}:
			self._attach(self.customer(customer), identities, at_ms, mate=mate)

	def move(
		self, old: Sequence[Identity], new: Sequence[Identity], at_ms: int
	) -> tuple[records.Customer, bool]:
		"""A gateway says that the customer behind `old` is to be found under `new`; whether that was news."""
		number, next_number = _phone_in(old), _phone_in(new)
		is_number = number is not None and next_number is not None and next_number not in number.forms
		for named in (old, new):
			known = self._known(named)
			self.load(known)
			if len(known) > 1:
				self._one_of(known, named, at_ms)
		before, after = self._known(old), self._known(new)
		if before and after and before[0] != after[0]:
			self._unite(before[0], after[0], at_ms, is_move=True)
		known = self._known(old) or self._known(new)
		customer = self.customer(known[0]) if known else self._create()
		self._attach(customer, old)
		self._attach(customer, new)
		is_news = self._leave(old, new, at_ms, is_number)
		self._show(customer)
		return customer, is_news

	def _leave(self, old: Sequence[Identity], new: Sequence[Identity], at_ms: int, is_number: bool) -> bool:
		"""Note what was given up, and for what; of two such moves of one identity the later counts."""
		follower = self.row(new[0])
		if follower is None:
			return False
		if is_number and at_ms > (follower.taken_ms or 0):
			follower.taken_ms = at_ms
			self.work.touch(follower)
		is_news = False
		left = [self.row(one) for one in old if not set(one.forms) & set(new)]
		for row in left:
			if row is not None and row is not follower and self._is_later(row, at_ms, follower):
				row.left_ms, row.successor, is_news = at_ms, follower.name, True
				self.work.touch(row)
		return is_news

	def _is_later(
		self, row: records.CustomerIdentity, at_ms: int, follower: records.CustomerIdentity
	) -> bool:
		known = next((one.value for one in self.by_key.values() if one.name == row.successor), "")
		return (at_ms, follower.value) > (row.left_ms or 0, known)

	# -- two who are one
	def _unite(self, one: str, other: str, at_ms: int, is_move: bool = False) -> str:
		"""Both were named as one person: merge them if nothing of people is lost, else ask a manager. Who
		stays.

		Of a move it is `other` who has the number that `one` moved to: whoever had it for long may be
		somebody else.
		"""
		self.load([one, other])
		for gone, kept in ((other, one), (one, other)):
			is_new = self.by_name[gone].created_ms >= at_ms - FRESH_MS
			is_new = is_new and (gone == other if is_move else self._may_go(kept, gone))
			if (is_new or self._is_known_by_less(gone, kept)) and self._may_go(gone, kept):
				self._merge(gone, kept)
				return kept
		self._ask(one, other)
		return one

	def _is_known_by_less(self, gone: str, kept: str) -> bool:
		"""Whether a customer has no number of his or her own: none at all, or the other's in another form."""
		forms = {form for phone in self._phones(kept) for form in phone.forms}
		return all(phone in forms for phone in self._phones(gone))

	def _phones(self, customer: str) -> list[Identity]:
		return [Identity(row.kind, row.value) for row in self.rows.get(customer, ()) if row.kind == PHONE]

	def _may_go(self, gone: str, kept: str) -> bool:
		"""Whether a customer holds nothing that people wrote,
		and nobody said that the two are different people.
		"""
		customer = self.by_name[gone]
		is_decided = customer.duplicate_of == kept and customer.duplicate_state == NOT_A_DUPLICATE
		is_named = customer.named_ms is None and not _is_bare(customer.customer_name)
		return not (is_decided or is_named or self.work.store.customers_with_notes([gone]))

	def _ask(self, one: str, other: str) -> None:
		"""Leave it to a manager, who is told once."""
		kept, asked = sorted((one, other), key=lambda name: (self.by_name[name].created_ms, name))
		customer = self.by_name[asked]
		if customer.duplicate_of != kept:
			customer.duplicate_of, customer.duplicate_state = kept, FOUND
			self.work.touch(customer)

	# -- writing
	def _create(self) -> records.Customer:
		customer = records.Customer(self.work.new_name(), created_ms=self.work.now_ms)
		self.by_name[customer.name] = self.work.customers[customer.name] = self.work.add(customer)
		self.rows[customer.name] = []
		self._new.add(customer.name)
		return customer

	def _attach(
		self,
		customer: records.Customer,
		identities: Sequence[Identity],
		at_ms: int | None = None,
		has_written: bool = False,
		mate: str | None = None,
	) -> None:
		"""These identities are one account of this customer, as far as they are nobody else's."""
		rows = self.rows.setdefault(customer.name, [])
		was_doubted = new_holder(rows) is not None
		of_account = [
			row for row in map(self.row, identities) if row is not None and row.customer == customer.name
		]
		of_account += [row for row in rows if row.name == mate]
		for identity in identities:
			if self.row(identity) is None or (
				identity.key not in self.by_key and self._is_of(identity, customer)
			):
				of_account.append(self._add(customer, identity))
		self._join(rows, of_account)
		for row in (self.by_key.get(identity.key) for identity in identities):
			if row is not None and row.customer == customer.name and at_ms is not None:
				self._use(row, at_ms, has_written)
		holder = None if was_doubted else new_holder(rows)
		if holder is not None:
			self.doubted[customer.name] = holder.phone
		self._show(customer)

	def _is_of(self, identity: Identity, customer: records.Customer) -> bool:
		row = self.row(identity)
		return row is not None and row.customer == customer.name

	def _add(self, customer: records.Customer, identity: Identity) -> records.CustomerIdentity:
		row = records.CustomerIdentity(
			self.work.new_name(), identity.key, identity.kind, identity.value, customer.name
		)
		self.by_key[identity.key] = self.work.add(row)
		self.rows[customer.name].append(row)
		return row

	def _join(self, rows: list[records.CustomerIdentity], of_account: list[records.CustomerIdentity]) -> None:
		accounts = {account_of(row) for row in of_account}
		if not accounts:
			return
		name = min(accounts)
		for row in rows:
			if account_of(row) in accounts and row.account != name:
				row.account = name
				self.work.touch(row)

	def _use(self, row: records.CustomerIdentity, at_ms: int, has_written: bool) -> None:
		"""An id is its person's since it was first named;
		a phone is named by others also after its holder left it.
		"""
		if row.kind == PHONE and not has_written:
			return
		since = min(row.since_ms or at_ms, at_ms)
		seen = max(row.seen_ms or 0, at_ms) if has_written else row.seen_ms
		if (since, seen) != (row.since_ms, row.seen_ms):
			row.since_ms, row.seen_ms = since, seen
			self.work.touch(row)

	def name(
		self, customer: records.Customer, identities: Sequence[Identity], given: str, at_ms: int
	) -> None:
		"""The profile of the identity that wrote is called so; the latest name counts."""
		name = safe_name(given) if given else ""
		of_customer = [
			row for row in map(self.row, identities) if row is not None and row.customer == customer.name
		]
		row = next(
			(one for one in of_customer if personal_kind(one.kind, one.value)), next(iter(of_customer), None)
		)
		if name and row is not None and (at_ms, name) > (row.named_ms or 0, row.profile_name):
			row.named_ms, row.profile_name = at_ms, name
			self.work.touch(row)
			self._show(customer)

	def _show(self, customer: records.Customer) -> None:
		"""The phone and the name to show, and what search finds the customer by,
		from what is known of the identities.
		"""
		rows = self.rows[customer.name]
		before = (customer.customer_name, customer.phone, customer.search_text)
		customer.phone = main_phone(rows)
		show_name(customer, rows)
		if (customer.customer_name, customer.phone, customer.search_text) != before:
			self.work.touch(customer)
		if customer.customer_name != before[0]:
			self.renamed.add(customer.name)
			if customer.name not in self._new:
				self.work.changes.renamed.add(customer.name)


def show_name(customer: records.Customer, rows: Sequence[records.CustomerIdentity]) -> None:
	"""The customer's name: what people of ours wrote, else the profile's latest, else the number."""
	is_ours = customer.named_ms is None and not _is_bare(customer.customer_name)
	named_ms, name = profile_name(rows)
	if name and not is_ours:
		customer.named_ms, customer.customer_name = named_ms, name
	elif _is_bare(customer.customer_name):
		customer.customer_name = customer.phone or ""
	phones = sorted(row.value for row in rows if row.kind == PHONE)
	customer.search_text = normalise(" ".join([customer.customer_name, *phones]))


def _is_bare(name: str) -> bool:
	"""No name, but a number in its place."""
	return not name or name.removeprefix("+").isdigit()


def _phone_in(identities: Iterable[Identity]) -> Identity | None:
	return next((one for one in identities if one.kind == PHONE), None)
