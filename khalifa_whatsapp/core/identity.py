"""Who a gateway says is writing: a phone, a user id of Meta (BSUID), a privacy id of WhatsApp (LID), or no
person.

A LID looks like a phone number and is none; a BSUID begins with a country and says nothing of a phone. So an
id keeps its kind from the moment it is read, and only a phone ever passes the phone rules.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from khalifa_whatsapp.core.errors import CodedError
from khalifa_whatsapp.core.phones import Phone, from_gateway, other_form

PHONE, BSUID, LID = "phone", "bsuid", "lid"
GROUP, NEWSLETTER, BROADCAST = "group", "newsletter", "broadcast"
PEOPLE = frozenset({PHONE, BSUID, LID})

_KIND_OF_SERVER = {
	"c.us": PHONE,
	"s.whatsapp.net": PHONE,  # what other libraries say for c.us
	"lid": LID,
	"g.us": GROUP,
	"newsletter": NEWSLETTER,
	"broadcast": BROADCAST,
}
_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
PARENT = re.compile(r"[A-Z]{2}\.ENT\.", re.ASCII)  # a user id for a whole group of companies
_DEVICE_PART = re.compile(r"(?:[._]\d+)?(?::\d+)?$", re.ASCII)  # which of the person's devices
_USER_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_NUMBER = re.compile(r"\d{1,32}", re.ASCII)
_USER_OF_KIND = {PHONE: _NUMBER, LID: _NUMBER}

MESSAGES = {
	"bad_wid": "{value} is not a WhatsApp id. Expected digits@c.us, digits@lid, id@g.us "
	"or a user id such as EG.9000.",
}


class IdentityError(CodedError):
	"""An id that no gateway we know would send."""

	messages = MESSAGES


@dataclass(frozen=True)
class Identity:
	"""One name of a customer or chat: its kind and its value as the gateway gave it,
	a phone's digits with +.
	"""

	kind: str
	value: str

	@cached_property
	def key(self) -> str:
		"""What the database keeps unique: 64 lower-case hex digits of kind and value."""
		return hashlib.sha256(f"{self.kind}|{self.value}".encode("utf-8", "surrogatepass")).hexdigest()

	@property
	def forms(self) -> tuple[Identity, ...]:
		"""This identity, and the same phone as a gateway may write it another time: compared,
		never rewritten.
		"""
		other = other_form(self.value) if self.kind == PHONE else ""
		return (self, Identity(PHONE, other)) if other else (self,)

	@property
	def is_person(self) -> bool:
		"""Whether a single person is behind it, and not a group, a channel or the status list."""
		return self.kind in PEOPLE

	@property
	def phone(self) -> Phone | None:
		"""The phone, if and only if the gateway said that it is one."""
		return from_gateway(self.value) if self.kind == PHONE else None


def of_phone(phone: Phone) -> Identity:
	"""The identity of a phone number."""
	return Identity(PHONE, phone.e164)


@lru_cache(maxsize=16_384)
def parse_wid(wid: str) -> Identity:
	"""The identity in an id with a server (`2010…@c.us`, `…@lid`, `…@g.us`, `status@broadcast`) or in a
	BSUID.

	Bare digits are refused: without its server nobody can tell a LID from a phone. Where a field is known to
	hold a phone, use `of_phone(from_gateway(digits))`. Raises IdentityError.
	"""
	user, at, server = wid.strip().rpartition("@")
	if not at and _BSUID.fullmatch(server):
		return Identity(BSUID, server)
	kind = _KIND_OF_SERVER.get(server.lower()) if at else None
	if kind in (PHONE, LID):
		user = _DEVICE_PART.sub("", user)
	if kind is None or not _USER_OF_KIND.get(kind, _USER_PATTERN).fullmatch(user):
		raise IdentityError("bad_wid", {"value": wid[:60]})
	return of_phone(from_gateway(user)) if kind == PHONE else Identity(kind, user)
