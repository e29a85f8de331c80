"""WhatsApp's page as an object: what it shows, and the few things that can be done there. It decides nothing.

Everything goes through `page.js`, one action per call. Whatever the browser itself does wrong becomes a
`Retryable` here; only `sending` calls what can send, and knows when that means doubt.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from khalifa_whatsapp.drivers.base import Retryable
from khalifa_whatsapp.drivers.whatsapp_web.selectors import PLACES

if TYPE_CHECKING:
	from selenium.webdriver.remote.webdriver import WebDriver
try:
	from selenium.common.exceptions import (
		InvalidSessionIdException,
		NoSuchWindowException,
		WebDriverException,
	)
except ImportError:  # a web worker never touches a browser, but must know what such a device can do

	class WebDriverException(Exception):  # type: ignore[no-redef]
		"""Raised by nobody."""

	InvalidSessionIdException = NoSuchWindowException = WebDriverException  # type: ignore[misc, assignment]

T = TypeVar("T")
BROKEN = (WebDriverException, HTTPError, HTTPException, OSError)  # of the browser, or of the way to it
POLL_SECONDS = 0.15
EXPAND_SECONDS = 1.0
CLEAR_SECONDS = 0.6
ESCAPE, CONTROL, BACKSPACE = "\ue00c", "\ue009", "\ue003"  # as WebDriver spells the keys
# States in the words of `drivers.base.SessionState`, and why
CONNECTED, QR, CONNECTING, DISCONNECTED, RESTRICTED = (
	"connected",
	"qr",
	"connecting",
	"disconnected",
	"restricted",
)

_SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
_PLACES = json.loads(json.dumps(PLACES))


@dataclass(frozen=True, slots=True)
class Look:
	"""What the page is at one moment.

	`state` is a word of `SessionState`, `detail` says why in a word of ours.
	"""

	state: str
	detail: str = ""
	buttons: int = 0  # of the dialog on top; 0: there is none
	is_busy: bool = False  # that dialog only says that something is under way
	has_composer: bool = False
	may_renew: bool = False  # the code has run out and waits for a click


@dataclass(frozen=True, slots=True)
class Chat:
	"""Who the open chat is with, as far as it shows: its title, and the chat's names in its messages' ids."""

	title: str
	wids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bubble:
	"""A message as the page shows it. `tick`: clock, sent, delivered, read, failed, or nothing."""

	id: str
	is_own: bool
	text: str
	has_text: bool
	tick: str
	media: str
	stamp: str  # `[10:30, 28/09/2026] Samy: `, in the language's own order


@dataclass(frozen=True, slots=True)
class Row:
	"""A chat in the list."""

	title: str
	is_unread: bool
	is_group: bool


class Page:
	"""The one tab of a device's browser. For one thread; `home` is WhatsApp's address."""

	def __init__(self, browser: WebDriver, home: str) -> None:
		self.browser = browser
		self.home = home
		self._was_connected = False
		self._code = ("", 0.0)  # digest of the code shown, and since when

	# -- the page as a whole

	def load(self) -> None:
		"""Open WhatsApp, or open it anew."""
		with surely():
			self._hide_headless()
			self.browser.get(self.home)

	def leave(self) -> None:
		"""Show nothing of WhatsApp any more; the login stays."""
		with surely():
			self.browser.get("about:blank")

	def is_home(self) -> bool:
		"""Whether the tab shows WhatsApp at all."""
		with surely():
			return urlsplit(self.browser.current_url)[:2] == urlsplit(self.home)[:2]

	def look(self) -> Look:
		"""What the page is now, asked in the order in which signs count."""
		seen = self.run("look")
		state, detail = _state(seen)
		if state == QR and self._was_connected:
			detail = "logged_out"  # somebody unlinked us, or the phone was away for two weeks
		self._was_connected = self._was_connected or state == CONNECTED
		return Look(state, detail, seen["buttons"], seen["is_busy"], seen["composer"], seen["renew"])

	def code(self) -> tuple[str, float]:
		"""What the code to scan says, opaque to us, and how many seconds it has been seen;
		empty when there is none.
		"""
		text = str(self.run("code") or "")
		digest = sha256(text.encode()).hexdigest()  # the code itself is a key to the account: it is not kept
		if digest != self._code[0]:
			self._code = (digest, time.monotonic())
		return text, time.monotonic() - self._code[1]

	def until(self, ready: Callable[[], T | None], seconds: float) -> T | None:
		"""Ask again and again until there is an answer; None when time is over.

		The page may be reloading meanwhile.
		"""
		end = time.monotonic() + seconds
		while True:
			with between_pages():
				answer = ready()
				if answer is not None:
					return answer
			if time.monotonic() >= end:
				return None
			time.sleep(POLL_SECONDS)

	# -- chats

	def follow(self, address: str) -> None:
		"""Go where a link would lead, without loading the app anew if it can help it."""
		self.run("follow", address)

	def chat(self) -> Chat:
		"""The open chat; without a title when there is none."""
		answer = self.run("chat")
		return Chat(answer["title"], tuple(answer["wids"]))

	def bubbles(self, limit: int) -> list[Bubble]:
		"""The last messages of the open chat, oldest first, long ones in full."""
		self.until(lambda: (not self.run("expand")) or None, EXPAND_SECONDS)
		return [Bubble(**one) for one in self.run("bubbles", limit)]

	def rows(self) -> list[Row]:
		"""The chats in the list, the newest first."""
		return [Row(**one) for one in self.run("rows")]

	def open_row(self, title: str, is_unread: bool) -> bool:
		"""Open a chat of the list; False when it is not there any more."""
		return self._click("row", title, is_unread)

	def phones_of_contact(self, seconds: float) -> list[str]:
		"""Phone numbers on the contact's own card, as digits. The card is opened and closed again."""
		if not self.click("header"):
			return []
		phones = self.until(lambda: self.run("phones") or None, seconds)
		if not self._click("drawer_close"):
			self.escape()
		self.until(lambda: self.run("phones") is None or None, seconds)
		return phones or []

	# -- writing

	def written(self, box: str) -> str | None:
		"""What stands in a box to write in; None when there is none."""
		text = self.run("written", box)
		return None if text is None else str(text)

	def write(self, box: str, text: str, seconds: float) -> str:
		"""Clear the box and write; what stands there then, which the caller must compare.

		The editor keeps the text itself: what a script does to its lines it may undo, but what is pasted it
		takes.
		"""
		self._clear(box, seconds)
		for way in ("paste", "type") if "\n" in text else ("type", "paste"):
			if not text:
				break
			self.run(way, box, text)
			if self.until(lambda: (self.written(box) == text) or None, seconds):
				break
		return self.written(box) or ""

	def _clear(self, box: str, seconds: float) -> None:
		"""Empty the box: by a script, and if the editor undoes that, by keys."""
		if not self.written(box):
			return
		self.run("clear", box)
		if self.until(lambda: (self.written(box) == "") or None, CLEAR_SECONDS):
			return
		with surely():
			element = self.run_unguarded("element", box)
			if element is not None:
				element.send_keys(CONTROL + "a")
				element.send_keys(BACKSPACE)
		self.until(lambda: (self.written(box) == "") or None, seconds)

	def choose_file(self, inputs: str, path: Path) -> bool:
		"""Give a file to one of the page's file inputs; False when there is no such input."""
		with surely():
			element = self.run("file_input", inputs)
			if element is None:
				return False
			element.send_keys(str(path))
			return True

	# -- clicks

	def click(self, place: str) -> bool:
		"""Click on what is there; False when nothing is."""
		return self._click("element", place)

	def click_dialog(self) -> bool:
		"""Click on the button of the dialog on top that goes on."""
		return self._click("dialog_button")

	def escape(self) -> None:
		"""Press the key that closes what lies on top."""
		with surely():
			self.browser.switch_to.active_element.send_keys(ESCAPE)

	def _click(self, action: str, *arguments: Any) -> bool:
		"""Click on what an action finds. The page may put another in its place just then: so look again."""
		for is_last in (False, False, True):
			try:
				with surely():
					element = self.run_unguarded(action, *arguments)
					if element is None:
						return False
					element.click()
				return True
			except BrowserGone as error:
				if error.is_over or is_last:
					raise
		return False

	def run(self, action: str, *arguments: Any) -> Any:
		"""One action of `page.js`. Raises `Retryable`."""
		with surely():
			return self.run_unguarded(action, *arguments)

	def run_unguarded(self, action: str, *arguments: Any) -> Any:
		"""The same with the browser's own errors:
		for the one action after which failing is not the same as not done.
		"""
		return self.browser.execute_script(_SCRIPT, _PLACES, action, *arguments)

	def minutes_behind_utc(self) -> int:
		"""How far the page's clock is behind UTC, in minutes, as JavaScript counts."""
		return int(self.run("minutes"))

	def _hide_headless(self) -> None:
		"""WhatsApp turns away a browser that calls itself headless;
		say the same version without that word.
		"""
		agent = str(self.browser.execute_script("return navigator.userAgent"))
		if "Headless" in agent:
			command = {"userAgent": agent.replace("Headless", "")}
			self.browser.execute_cdp_cmd("Emulation.setUserAgentOverride", command)


class BrowserGone(Retryable):
	"""The browser does not answer, or the page is not what it was."""

	def __init__(self, is_over: bool) -> None:
		super().__init__("The browser of this device does not answer.", code="browser")
		self.is_over = is_over  # no use in asking again


@contextmanager
def surely() -> Iterator[None]:
	"""Around what can't send anything: a failure of the browser is `Retryable`.

	Its own words may hold a customer's.
	"""
	try:
		yield
	except BROKEN as error:
		is_over = isinstance(error, InvalidSessionIdException | NoSuchWindowException) or not isinstance(
			error, WebDriverException
		)
		raise BrowserGone(is_over or "crashed" in str(error)) from None


@contextmanager
def between_pages() -> Iterator[None]:
	"""Around a question that is asked again anyway:
	the page may be gone because the next one is being loaded.
	"""
	try:
		yield
	except BrowserGone as error:
		if error.is_over:
			raise


def _state(seen: dict[str, Any]) -> tuple[str, str]:
	if seen["conflict"]:
		return DISCONNECTED, "conflict"
	if seen["blocked"]:
		return RESTRICTED, "blocked"
	if seen["code"]:
		return QR, ""
	if seen["pairing"]:
		return QR, "pairing"
	if seen["chats"]:
		if seen["offline"]:
			return CONNECTING, "offline"
		return CONNECTED, "phone_offline" if seen["phone_offline"] else ""
	return (CONNECTING, "loading") if seen["loading"] else (DISCONNECTED, "unknown_page")
