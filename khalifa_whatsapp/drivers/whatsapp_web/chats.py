"""The right chat, and nobody else's: opening one by phone, and proving whom the open one is with.

A message in a stranger's chat can't be taken back. So a chat counts as the customer's only on evidence that
the page itself shows: the phone as its title, the chat's name in its messages' ids, or the phone on the
contact's card. Without any, nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import AuthError, RecipientError, Retryable, SendError
from khalifa_whatsapp.drivers.payload import distinct, identity_of
from khalifa_whatsapp.drivers.whatsapp_web import page as web_page
from khalifa_whatsapp.drivers.whatsapp_web.page import Chat, Look, Page

SETTLED_SECONDS = (
	1.5  # a dialog that stays this long means what it says; while a chat is being opened one comes and goes
)
CARD_SECONDS = 3.0
LONGEST_PHONE = 15  # digits


@dataclass(frozen=True, slots=True)
class Proof:
	"""The open chat and who it is with."""

	chat: Chat
	people: tuple[Identity, ...]  # phones first


def phone_of(recipient: Iterable[Identity]) -> str:
	"""The digits by which the page can open a chat. `RecipientError` when no phone is known."""
	for one in recipient:
		digits = one.value.removeprefix("+")
		if one.kind == "phone" and digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_PHONE:
			return digits
	raise RecipientError("The customer's phone number is not known here.", code="no_address")


def wait_connected(page: Page, seconds: float) -> Look:
	"""Wait while the page loads.

	Raises the `SendError` that its state means, if it is not connected by then.
	"""
	last = page.look()

	def connected() -> Look | None:
		nonlocal last
		last = page.look()
		return last if last.state == web_page.CONNECTED or _is_final(last) else None

	look = page.until(connected, seconds) or last
	if look.state != web_page.CONNECTED:
		raise state_error(look)
	return look


def open_chat(page: Page, recipient: tuple[Identity, ...], seconds: float) -> Proof:
	"""The customer's chat with its box to write in, proved. Raises a `SendError`; nothing was sent."""
	phone = phone_of(recipient)
	proof, look = _proof_of_open(page), page.look()
	if proof is not None and _is_with(proof, recipient) and look.has_composer and not look.buttons:
		return proof
	if look.buttons:
		page.escape()  # news of an update, a backup: what comes after the link must be the link's own
		page.until(lambda: (not page.look().buttons) or None, CARD_SECONDS)
	page.follow(urljoin(page.home, f"send?phone={phone}&type=phone_number&app_absent=0"))
	return _Opening(page, recipient).wait(seconds)


def prove(page: Page, chat: Chat) -> tuple[Identity, ...]:
	"""Who an open chat is with, by all that can be seen; nobody when it shows no name that we know."""
	shown = _shown(chat)
	if any(one.kind == "phone" for one in shown):
		return shown
	phones = [identity_of(f"{digits}@c.us") for digits in page.phones_of_contact(CARD_SECONDS)]
	return distinct(*phones, *shown) if len(phones) == 1 else shown


def state_error(look: Look) -> SendError:
	"""What a page that is not connected means for a message: it was surely not sent."""
	if look.state == web_page.QR:
		return AuthError("This device is not logged in: scan the code with the phone.", code="logged_out")
	if look.state == web_page.RESTRICTED:
		return AuthError(
			"WhatsApp does not let this account or browser in. Look at the phone.", code="restricted"
		)
	if look.detail == "conflict":
		return Retryable(
			"WhatsApp is open in another window. Start the session again to use it here.", code="conflict"
		)
	if look.detail == "offline":
		return Retryable("The server has no connection to WhatsApp.", code="offline")
	return Retryable("WhatsApp's page is not ready.", code=look.detail or "not_ready")


class _Opening:
	"""Waiting for the first thing that a followed link leads to."""

	def __init__(self, page: Page, recipient: tuple[Identity, ...]) -> None:
		self.page, self.recipient = page, recipient
		self.dialog_since: float | None = None
		self.stranger = False
		self.asked: set[str] = set()  # titles whose card was looked at

	def wait(self, seconds: float) -> Proof:
		proof = self.page.until(self.step, seconds)
		if proof is not None:
			return proof
		if self.stranger:
			raise Retryable("WhatsApp's page shows another chat than the customer's.", code="wrong_chat")
		raise Retryable("WhatsApp's page did not open the chat in time.", code="slow")

	def step(self) -> Proof | None:
		look = self.page.look()
		if _is_final(look):
			raise state_error(look)
		if look.buttons:
			self._dialog(look)
			return None
		self.dialog_since = None
		if look.state != web_page.CONNECTED or not look.has_composer:
			return None
		proof = self._proof()
		self.stranger = proof is not None
		return proof if proof is not None and _is_with(proof, self.recipient) else None

	def _dialog(self, look: Look) -> None:
		"""A dialog with one button that stays, and not the customer's chat:
		there is nobody behind that number.
		"""
		now = time.monotonic()
		if look.is_busy or look.buttons != 1 or look.state != web_page.CONNECTED:
			self.dialog_since = None
			return
		self.dialog_since = self.dialog_since or now
		if now - self.dialog_since >= SETTLED_SECONDS:
			self.page.click_dialog()
			proof = _proof_of_open(self.page)
			if proof is not None and _is_with(proof, self.recipient):
				return  # it was about something else
			raise RecipientError("This number is not on WhatsApp.", code="not_on_whatsapp")

	def _proof(self) -> Proof | None:
		"""The contact's card is looked at once per chat: it takes clicks."""
		proof = _proof_of_open(self.page)
		if proof is None or _is_known(proof.people, self.recipient) or proof.chat.title in self.asked:
			return proof
		people = prove(self.page, proof.chat)
		is_same = self.page.chat() == proof.chat
		if people or is_same:
			self.asked.add(proof.chat.title)
		return Proof(proof.chat, people) if is_same else None


def _proof_of_open(page: Page) -> Proof | None:
	chat = page.chat()
	return Proof(chat, _shown(chat)) if chat.title else None


def _shown(chat: Chat) -> tuple[Identity, ...]:
	"""Who the title and the messages' ids name."""
	digits = "".join(filter(str.isdigit, chat.title)) if chat.title.startswith("+") else ""
	named = [identity_of(f"{digits}@c.us") if digits else None, *map(identity_of, chat.wids)]
	if any(one is not None and not one.is_person for one in named):
		return ()  # a group
	return tuple(sorted(distinct(*named), key=lambda one: one.kind != "phone"))


def _is_known(people: tuple[Identity, ...], recipient: tuple[Identity, ...]) -> bool:
	"""Whether these names alone tell if it is the recipient."""
	kinds = {one.kind for one in recipient}
	return any(one.kind in kinds for one in people)


def _is_with(proof: Proof, recipient: tuple[Identity, ...]) -> bool:
	"""Whether at least one name of the chat is the recipient's,
	and none of the same kind is somebody else's.
	"""
	kinds = {one.kind for one in recipient}
	comparable = [one for one in proof.people if one.kind in kinds]
	return bool(comparable) and all(one in recipient for one in comparable)


def _is_final(look: Look) -> bool:
	"""Whether waiting can't make it better."""
	return look.state in (web_page.QR, web_page.RESTRICTED) or look.detail == "conflict"
