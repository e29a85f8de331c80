"""The driver of WhatsApp Web: the port of `drivers.base` over the page in a browser that somebody else owns.

The browser is started and ended by the session registry, which hands it over with `attach`. All calls come
from that browser's one thread: two sends in one tab would write into one another.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.abilities import QrCode
from khalifa_whatsapp.drivers.base import (
	Accepted,
	Capabilities,
	DeviceConfig,
	Event,
	NotVerified,
	OutboundEcho,
	Outgoing,
	OutgoingMedia,
	OutgoingText,
	Retryable,
	SessionState,
	WebhookCall,
)
from khalifa_whatsapp.drivers.http import HttpClient
from khalifa_whatsapp.drivers.whatsapp_web import page as web_page
from khalifa_whatsapp.drivers.whatsapp_web import sending, webhook_events
from khalifa_whatsapp.drivers.whatsapp_web.chats import open_chat, prove, state_error, wait_connected
from khalifa_whatsapp.drivers.whatsapp_web.options import home_of
from khalifa_whatsapp.drivers.whatsapp_web.qr import picture_of

if TYPE_CHECKING:
	from selenium.webdriver.remote.webdriver import WebDriver

QR_LIFETIME = 20.0  # seconds; the first code of a page lives a minute, those after it a third
MAX_CHATS = 10  # opened in one look
LOOK_SECONDS = 20.0  # one look holds up the outbox no longer
READ_BUBBLES = 15  # of a chat, in one look
MAX_SECONDS = (
	20.0  # for one step of a send: all steps together must end before the browser is taken for hanging
)
RELOAD_SECONDS = 120.0  # a page that nobody knows is loaded anew so often


class WhatsAppWebDriver:
	"""One logged-in tab. It answers without quoting: the page offers no safe way."""

	capabilities = Capabilities(
		has_qr=True,
		has_browser=True,
		kinds=frozenset({"text", *sending.INPUTS}),
		media_kinds=frozenset(sending.INPUTS),
		max_text=sending.MAX_TEXT,
		max_media_bytes=sending.MAX_FILE,
	)

	def __init__(self, config: DeviceConfig, browser: WebDriver | HttpClient | None = None) -> None:
		self.config = config
		self._page: web_page.Page | None = None
		self._has_caught_up = False
		self._loaded_at = 0.0
		if browser is not None and not isinstance(browser, HttpClient):  # the factory offers every driver one
			self.attach(browser)

	@property
	def _seconds(self) -> float:
		return min(self.config.read_timeout, MAX_SECONDS)

	def attach(self, browser: WebDriver) -> None:
		"""Work with this browser from now on. Its page is opened by `start_session`."""
		self._page = web_page.Page(browser, home_of(self.config.browser))
		self._has_caught_up = False

	# -- the port

	def verify(self, call: WebhookCall) -> None:
		"""There is no webhook: always `NotVerified`. Deliveries come from this process itself."""
		raise NotVerified("this gateway has no webhook")

	def handshake(self, call: WebhookCall) -> str:
		"""As `verify`."""
		raise NotVerified("this gateway has no webhook")

	def parse(self, raw: bytes) -> list[Event]:
		"""The event of a delivery in the format of `webhook_events`. `PayloadError` when it is not one."""
		return webhook_events.parse(raw, self.config.name)

	def send(self, message: Outgoing) -> Accepted:
		"""Write into the customer's chat and wait for the server's tick. Raises a `SendError`."""
		sending.check(message)
		written = cast("OutgoingText | OutgoingMedia", message)
		return sending.Sending(self._live(), written, self._seconds).run()

	def get_status(self) -> SessionState:
		"""What the page shows now. A page that nobody knows is loaded anew from time to time."""
		page = self._live()
		look = page.look()
		if look.detail == "unknown_page" and time.monotonic() - self._loaded_at > RELOAD_SECONDS:
			self._load(page)
		return SessionState(look.state, look.detail)

	# -- the login

	def start_session(self) -> SessionState:
		"""Open the page in the browser that runs, or take it over from another window. The login follows."""
		page = self._live()
		if not page.is_home():
			self._load(page)
			return SessionState(web_page.CONNECTING, "loading")
		look = page.look()
		if look.detail == "conflict":
			page.click_dialog()
			return SessionState(web_page.CONNECTING, look.detail)
		return SessionState(look.state, look.detail)

	def stop_session(self) -> None:
		"""Leave the page and keep the login; the registry closes the browser."""
		page, self._page = self._page, None
		if page is not None:
			page.leave()

	def log_out(self) -> None:
		"""Unlink this browser from the phone.

		Nothing to do when it is not linked; `Retryable` when it can't be done.
		"""
		page = self._live()
		seconds = self._seconds
		look = page.look()
		if look.state == web_page.QR:
			return
		if look.state != web_page.CONNECTED:
			raise state_error(look)
		is_asked = page.click("menu") and page.until(lambda: page.click("log_out") or None, seconds)
		if not is_asked or not page.until(lambda: page.click_dialog() or None, seconds):
			raise Retryable(
				"WhatsApp's page offers no way to log out. Unlink the device on the phone.", code="no_log_out"
			)
		if not page.until(lambda: (page.look().state != web_page.CONNECTED) or None, seconds):
			raise Retryable("WhatsApp did not log out in time.", code="slow")

	def get_qr(self) -> QrCode | None:
		"""The code to scan, only while the page shows one; one that has run out is renewed."""
		page = self._live()
		look = page.look()
		if look.may_renew:
			page.click("code_renew")
			page.until(lambda: (not page.look().may_renew) or None, 2)
			look = page.look()
		if look.state != web_page.QR or look.may_renew:
			return None
		text, age = page.code()
		return QrCode(picture_of(text), age, QR_LIFETIME) if text else None

	# -- what was said

	def last_sent(self, recipient: tuple[Identity, ...], limit: int = 20) -> list[OutboundEcho]:
		"""What the customer's chat shows of ours and WhatsApp has, newest last."""
		page = self._live()
		seconds = self._seconds
		wait_connected(page, seconds)
		proof = open_chat(page, recipient, 2 * seconds)
		bubbles = [
			one for one in page.bubbles(max(limit, 1) * 3) if one.is_own and one.tick in webhook_events.LEFT
		]
		events = [self.parse(raw)[0] for raw in self._read(page, proof.chat, proof.people, bubbles)]
		return [event for event in events if isinstance(event, OutboundEcho)][-limit:]

	def missed_webhook_events(self) -> list[bytes]:
		"""New messages, and how far ours got: of the open chat and of those with an unread mark.

		Opening a chat takes its mark away. So after each start the newest chats are read, marked or not: what
		a crash interrupted is read again, and the inbox knows what it has.
		"""
		page = self._live()
		look = page.look()
		if look.state != web_page.CONNECTED:
			raise state_error(look)
		end = time.monotonic() + LOOK_SECONDS
		bodies = self._read_open(page)
		for row in self._rows_to_read(page):
			if time.monotonic() >= end:
				return bodies
			if page.open_row(row.title, row.is_unread):
				page.until(lambda title=row.title: (page.chat().title == title) or None, 2)  # type: ignore[misc]
				bodies += self._read_open(page)
		self._has_caught_up = True
		return list(dict.fromkeys(bodies))

	def _rows_to_read(self, page: web_page.Page) -> list[web_page.Row]:
		rows = [row for row in page.rows()[:50] if row.title and not row.is_group]
		marked = [row for row in rows if row.is_unread]
		return [*marked, *(row for row in rows if row not in marked and not self._has_caught_up)][:MAX_CHATS]

	def _read_open(self, page: web_page.Page) -> list[bytes]:
		"""What the open chat says, if it is with one person whom it names."""
		chat = page.chat()
		if not chat.title:
			return []
		people = prove(page, chat)
		bubbles = page.bubbles(READ_BUBBLES) if people else []
		return self._read(page, chat, people, bubbles) if page.chat() == chat else []

	def _read(
		self,
		page: web_page.Page,
		chat: web_page.Chat,
		people: tuple[Identity, ...],
		bubbles: Iterable[web_page.Bubble],
	) -> list[bytes]:
		now_ms, minutes = round(time.time() * 1000), page.minutes_behind_utc()
		return webhook_events.Reader(self.config.name, people, chat.title, now_ms, minutes).webhook_events(
			bubbles
		)

	def _load(self, page: web_page.Page) -> None:
		self._loaded_at = time.monotonic()
		page.load()

	def _live(self) -> web_page.Page:
		if self._page is None:
			raise Retryable("The browser of this device is not running.", code="no_browser")
		return self._page
