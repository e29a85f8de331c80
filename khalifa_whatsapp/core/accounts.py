"""A customer's WhatsApp accounts: as whom he or she wrote, where an answer goes, and whose number it is now.

An *account* is one person's login at WhatsApp: its phone, its user id, its privacy id, which gateways name
together. A customer may have two, and may give one up. What is known of each identity are earliest and latest
moments, so nothing here depends on the order in which they became known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from khalifa_whatsapp.core.identity import BSUID, LID, PARENT, PHONE, Identity
from khalifa_whatsapp.core.records import CustomerIdentity

STRENGTH = {PHONE: 0, BSUID: 1, LID: 2}


@dataclass(frozen=True, slots=True)
class Route:
	"""Where an answer goes: the chosen identity, and all of the same account, the chosen one first."""

	chosen: CustomerIdentity | None = None
	recipient: tuple[Identity, ...] = ()
	is_moved: bool = False  # not as whom the customer wrote last, for he or she has given that up

	def has_window_of(self, wrote_as: str | None) -> bool:
		"""Whether what the customer wrote last in the conversation
		opened the window of whom it is answered to.
		"""
		if wrote_as is None:  # from before this was kept
			return self.chosen is None or not self.chosen.taken_ms
		return not self.is_moved

	def is_account_of(self, row: CustomerIdentity | None) -> bool:
		"""Whether another identity belongs to the account that is written to."""
		return self.chosen is not None and row is not None and account_of(row) == account_of(self.chosen)


@dataclass(frozen=True, slots=True)
class NewHolder:
	"""Somebody else seems to use a customer's number: since when,
	and the identities that would be his or hers.
	"""

	since_ms: int
	rows: tuple[CustomerIdentity, ...]

	@property
	def phone(self) -> str:
		"""The number in question; empty when none is known."""
		return next((row.value for row in self.rows if row.kind == PHONE), "")


def account_of(row: CustomerIdentity) -> str:
	"""Which account an identity belongs to; rows from before accounts were kept are one each."""
	return row.account or row.name


def is_left(row: CustomerIdentity) -> bool:
	"""Whether the customer has given it up.

	An id that is used again was not; a phone may be a stranger's by then.
	"""
	used = 0 if row.kind == PHONE else row.seen_ms or 0
	return (row.left_ms or 0) > max(row.taken_ms or 0, used)


def route(rows: Sequence[CustomerIdentity], wrote_as: str | None = None) -> Route:
	"""Where an answer to a customer goes who wrote last as `wrote_as` (a row's name).

	To that account, by its phone if it has one; never to what was given up, but to what the customer moved
	to; nowhere when that is not known. Where somebody else may have the phone by now, only what he or she
	wrote as is written to.
	"""
	by_name = {row.name: row for row in rows}
	start = by_name.get(wrote_as or "") or _strongest(rows)
	reached = _moved_to(start, by_name)
	if reached is None:
		return Route(is_moved=start is not None)
	mates = [row for row in rows if account_of(row) == account_of(reached) and not is_left(row)]
	if new_holder(rows) is not None:
		mates = []
	chosen = (
		reached
		if reached.kind == PHONE
		else _strongest([reached, *(row for row in mates if row.kind == PHONE)], PHONE)
	)
	ordered = [chosen, *sorted([reached, *mates], key=_rank)]
	recipient = tuple(dict.fromkeys(Identity(row.kind, row.value) for row in ordered if row is not None))
	return Route(chosen, recipient, reached is not start)


def _moved_to(row: CustomerIdentity | None, by_name: dict[str, CustomerIdentity]) -> CustomerIdentity | None:
	"""The identity itself, or the one at the end of its moves."""
	passed: set[str] = set()
	while row is not None and (left := _left_with(row, by_name.values())) is not None:
		passed.add(row.name)
		following = left.successor or ""
		row = None if following in passed else by_name.get(following)
	return row


def _left_with(row: CustomerIdentity, rows: Iterable[CustomerIdentity]) -> CustomerIdentity | None:
	"""What was given up and took this identity along: itself,
	or the number of its account since it was last used.
	"""
	if is_left(row):
		return row
	if row.kind == PHONE:
		return None
	gone = [one for one in rows if account_of(one) == account_of(row) and one.kind == PHONE and is_left(one)]
	gone = [one for one in gone if (one.left_ms or 0) > (row.seen_ms or 0)]
	return max(gone, key=lambda one: (one.left_ms or 0, one.value), default=None)


def _strongest(rows: Iterable[CustomerIdentity], first: str = "") -> CustomerIdentity | None:
	"""What was not given up, and used last; of equals a phone. `first` is a kind that goes before all."""
	return min(
		rows,
		key=lambda row: (is_left(row), row.kind != first, -(row.seen_ms or 0), *_rank(row)),
		default=None,
	)


def _rank(row: CustomerIdentity) -> tuple[int, str]:
	return STRENGTH.get(row.kind, len(STRENGTH)), row.value


def main_phone(rows: Iterable[CustomerIdentity]) -> str | None:
	"""The phone to show of a customer: of those not given up the one used last."""
	phones = [row for row in rows if row.kind == PHONE]
	return (
		min(phones, key=lambda row: (is_left(row), -(row.seen_ms or 0), row.value)).value if phones else None
	)


def profile_name(rows: Sequence[CustomerIdentity]) -> tuple[int, str]:
	"""The name that the customer's profile had last, and when;
	not that of somebody who seems to be another person.
	"""
	holder = new_holder(rows)
	others = {row.name for row in holder.rows} if holder is not None else set()
	names = [
		(row.named_ms or 0, row.profile_name) for row in rows if row.profile_name and row.name not in others
	]
	return max(names, default=(0, ""))


def new_holder(rows: Sequence[CustomerIdentity]) -> NewHolder | None:
	"""Whether a customer's number came back with another user id, or after it had been given up."""
	accounts: dict[str, list[CustomerIdentity]] = {}
	for row in rows:
		accounts.setdefault(account_of(row), []).append(row)
	holders = (_of_account(accounts[name]) for name in sorted(accounts))
	return next((holder for holder in holders if holder is not None), None)


def _of_account(rows: list[CustomerIdentity]) -> NewHolder | None:
	ids = [row for row in rows if not is_left(row) and personal_kind(row.kind, row.value)]
	for kind in (BSUID, LID):
		of_kind = [row for row in ids if row.kind == kind]
		if len(of_kind) > 1:
			newest = max(of_kind, key=lambda row: (row.since_ms or 0, row.value))
			phones = [row for row in rows if row.kind == PHONE and not is_left(row)]
			return NewHolder(newest.since_ms or 0, (*phones, newest))
	for phone in sorted(rows, key=lambda row: (-(row.left_ms or 0), row.value)):
		left_ms = phone.left_ms or 0
		if phone.kind == PHONE and is_left(phone) and (phone.seen_ms or 0) > left_ms:
			return NewHolder(left_ms + 1, (phone, *(row for row in ids if (row.since_ms or 0) > left_ms)))
	return None


def personal_kind(kind: str, value: str) -> str:
	"""The kind of an id that one person has one of, and takes along;
	empty for phones and the ids of a parent company.
	"""
	return kind if kind in (BSUID, LID) and not PARENT.match(value) else ""
