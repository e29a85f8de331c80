"""One message, from an open chat to the server's tick.

Before the page was told to send, everything that goes wrong is surely not sent. From then on only the tick
proves that it went; anything else is `UnknownOutcome`, and the chat's own log settles it later. Telling is
one action of the page, which looks once more at chat and text before it clicks: what it refuses was not sent.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from khalifa_whatsapp.drivers.base import (
	Accepted,
	MessageRef,
	Outgoing,
	OutgoingMedia,
	OutgoingText,
	Permanent,
	Retryable,
	SendError,
	UnknownOutcome,
	unsupported,
)
from khalifa_whatsapp.drivers.payload import mime_of
from khalifa_whatsapp.drivers.whatsapp_web.chats import Proof, open_chat, phone_of, wait_connected
from khalifa_whatsapp.drivers.whatsapp_web.page import BROKEN, POLL_SECONDS, Bubble, Page
from khalifa_whatsapp.drivers.whatsapp_web.webhook_events import LEFT, OUT, id_of_bubble

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_FILE = 16 * 1024 * 1024  # bytes; more takes longer to upload than a browser may be held
INPUTS = {"image": "image_input", "document": "file_input"}
RECENT_BUBBLES = 30
WRITE_SECONDS = 3.0
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_STYLE = re.compile(r"[*_~`\s]")
_NOT_A_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def check(message: Outgoing) -> None:
	"""Raise `Permanent` or `RecipientError` for what can't be sent at all, before the browser is touched."""
	if isinstance(message, OutgoingText):
		_check_text(message.body, MAX_TEXT)
		if not message.body.strip():
			raise Permanent("The message is empty.", code="empty")
	elif isinstance(message, OutgoingMedia) and message.kind in INPUTS:
		_check_text(message.caption, MAX_CAPTION)
		if not message.content or len(message.content) > MAX_FILE:
			raise Permanent("The file is empty or too big for this gateway.", code="media_size")
	else:
		raise unsupported(message)
	phone_of(message.recipient)


class Sending:
	"""One send. `seconds` is how long each thing of it may take: the page, the chat, the tick."""

	def __init__(self, page: Page, message: OutgoingText | OutgoingMedia, seconds: float) -> None:
		self.page, self.message, self.seconds = page, message, seconds
		self.is_file = isinstance(message, OutgoingMedia)
		body = message.caption if isinstance(message, OutgoingMedia) else message.body
		self.text = _plain(body)

	def run(self) -> Accepted:
		"""Send it. Raises a `SendError`."""
		wait_connected(self.page, self.seconds)
		proof = open_chat(self.page, self.message.recipient, 2 * self.seconds)
		before = {bubble.id for bubble in self.page.bubbles(RECENT_BUBBLES)}
		self._write(proof)
		self._press(proof)
		return self._confirmed(before, proof)

	def _write(self, proof: Proof) -> None:
		if not isinstance(self.message, OutgoingMedia):
			return _write_text(self.page, "composer", self.text)
		_write_text(self.page, "composer", "")  # a draft would become the caption
		try:
			self._attach(self.message)
			if self.text:
				_write_text(self.page, "caption", self.text)
		except SendError:
			with suppress(SendError):
				self.page.load()  # no preview may stay open with a file in it
			raise
		return None

	def _attach(self, message: OutgoingMedia) -> None:
		if not self.page.click("attach"):
			raise Retryable("WhatsApp's page offers no way to attach a file.", code="no_attach")
		with tempfile.TemporaryDirectory(prefix="khalifa-") as folder:
			path = Path(folder) / _file_name(message)
			with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
				file.write(message.content)
			inputs = INPUTS[message.kind]
			given = self.page.until(lambda: self.page.choose_file(inputs, path) or None, WRITE_SECONDS)
			is_shown = given and self.page.until(lambda: self.page.run("previews") or None, self.seconds)
		if not is_shown:
			raise Retryable("WhatsApp's page did not take the file.", code="no_preview")

	def _press(self, proof: Proof) -> None:
		"""The line between surely not sent and perhaps sent."""
		box = "caption" if self.is_file else "composer"
		end = time.monotonic() + WRITE_SECONDS
		while (answer := self._pressed(box, proof)) == "button" and time.monotonic() < end:
			time.sleep(POLL_SECONDS)  # it comes a moment after the text
		if answer == "pressed":
			return
		if self.is_file:
			with suppress(SendError):
				self.page.load()
		else:
			with suppress(SendError):
				self.page.write(box, "", WRITE_SECONDS)
		raise Retryable("WhatsApp's page changed just before the message was sent.", code=f"changed_{answer}")

	def _pressed(self, box: str, proof: Proof) -> str:
		"""What the page answers: "pressed", or what it saw amiss, and then it did not press."""
		seen = {"title": proof.chat.title, "wids": list(proof.chat.wids)}
		try:
			return str(self.page.run_unguarded("press", box, self.text, seen, self.is_file))
		except BROKEN:
			raise UnknownOutcome(
				"The browser broke off while the message was sent.", code="browser"
			) from None

	def _confirmed(self, before: Collection[str], proof: Proof) -> Accepted:
		"""Wait for the tick on a new bubble of ours that says what we said."""

		def ticked() -> Bubble | None:
			ours = [b for b in self.page.bubbles(RECENT_BUBBLES) if b.id not in before and self._is_ours(b)]
			return next((b for b in ours if b.tick in LEFT or b.tick == "failed"), None)

		try:
			bubble = self.page.until(ticked, self.seconds * (3 if self.is_file else 1))
		except SendError:
			raise UnknownOutcome(
				"The browser broke off before WhatsApp's answer was seen.", code="browser"
			) from None
		if bubble is None:
			raise UnknownOutcome("WhatsApp did not confirm the message in time.", code="no_tick")
		if bubble.tick == "failed":
			raise UnknownOutcome("WhatsApp's page shows an error beside the message.", code="failed")
		if not bubble.id:
			raise UnknownOutcome("WhatsApp's page does not name the message.", code="no_id")
		return Accepted(MessageRef(id_of_bubble(bubble.id), OUT), recipient=proof.people)

	def _is_ours(self, bubble: Bubble) -> bool:
		if not bubble.is_own or bool(self.is_file) != (bool(bubble.media) or not bubble.has_text):
			return False
		return _STYLE.sub("", bubble.text) == _STYLE.sub("", self.text)


def _write_text(page: Page, box: str, text: str) -> None:
	"""Have exactly this text in a box, whatever stood there. Nothing is sent by it."""
	written = page.write(box, text, WRITE_SECONDS)
	if written == text:
		return
	with suppress(SendError):
		page.write(box, "", WRITE_SECONDS)
	if not written or not text:
		raise Retryable("WhatsApp's page does not let us write.", code="composer")
	raise Permanent(
		"WhatsApp's page changed the text while it was written. Write it in another way.", code="text"
	)


def _check_text(text: str, longest: int) -> None:
	if len(text) > longest:
		raise Permanent("The message is too long for one text.", code="too_long")
	if _UNWRITABLE.search(text):
		raise Permanent("The message holds characters that can't be written.", code="characters")


def _plain(text: str) -> str:
	"""As the page's own box gives it back."""
	return text.replace("\u00a0", " ").replace("\r\n", "\n").replace("\r", "\n").strip()


def _file_name(message: OutgoingMedia) -> str:
	"""A name for the customer to see, in a folder of its own: no path, not hidden, not too long."""
	stem, extension = os.path.splitext(_NOT_A_NAME.sub("_", message.file_name).lstrip("."))
	usual = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}
	return f"{(stem or message.kind)[:60]}{extension[:10] or usual.get(mime_of(message.mime_type), '')}"
