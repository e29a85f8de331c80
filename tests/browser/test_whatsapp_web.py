"""Real Chromium, a stand-in for WhatsApp's page: the driver keeps the contract,
and sends each message once or never.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

pytest.importorskip("selenium", reason="needs selenium: pip install selenium")

from khalifa_whatsapp.drivers.base import (
	AuthError,
	NotVerified,
	Permanent,
	RecipientError,
	Retryable,
	SendError,
	Unhandled,
	UnknownOutcome,
	WebhookCall,
)
from khalifa_whatsapp.drivers.whatsapp_web import WhatsAppWebDriver
from khalifa_whatsapp.tests.contracts.driver_contract import SENT_MS, TEXT, DriverContract, Inbound, Scene
from simulation.simulators import WhatsAppWebSimulator
from tests.browser.whatsapp_web import MONA, SAMY, Stage, chromium, file, needs_chromium, now_ms, stage, text

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
	with chromium(tmp_path_factory.mktemp("chromium")) as started:
		yield started


@pytest.fixture
def page(browser):
	with stage(browser) as made:
		yield made


def call(**payload: object) -> WebhookCall:
	return WebhookCall(json.dumps({"device": "web-sim", **payload}).encode(), {}, {})


class TestContract(DriverContract):
	"""There is no webhook here: what the contract calls a webhook call is
	a raw delivery that the driver itself read.
	"""

	@pytest.fixture(autouse=True)
	def _browser(self, browser):
		self.browser = browser

	@contextmanager
	def scene(self) -> Iterator[Scene]:
		with stage(self.browser) as made:
			self.made = made.open()
			simulator = made.simulator
			ways = {
				"retryable": [partial(simulator.fail_next, "never")],
				"recipient": [partial(simulator.fail_next, "invalid")],
				"unknown": [
					partial(simulator.fail_next, mode) for mode in ("stuck", "stuck_lost", "failed", "vanish")
				],
				"auth": [partial(setattr, simulator, "state", "qr")],
			}
			yield Scene(made.driver, self.inbound(), ways)

	def inbound(self) -> Inbound:
		message = {
			"type": "message",
			"id": "3A01",
			"people": ["201001234567@c.us"],
			"kind": "text",
			"text": TEXT,
			"at_ms": SENT_MS,
		}
		foreign = call(**{**message, "device": "another"})
		return Inbound(call(**message), foreign, call(type="hologram"), call(), foreign)

	def taken(self) -> int:
		return len(self.made.simulator.sent_log)

	def test_a_call_of_the_gateway_is_verified(self) -> None:
		"""No gateway calls: whoever does is refused, whatever he says."""
		with self.scene() as scene:
			for one in (scene.inbound.text, scene.inbound.unknown, scene.inbound.garbage):
				with pytest.raises(NotVerified):
					scene.driver.verify(one)

	def test_what_is_meant_for_another_device_is_unhandled(self) -> None:
		"""As the contract's, without the proof that it asks for first."""
		with self.scene() as scene:
			assert all(isinstance(one, Unhandled) for one in scene.driver.parse(scene.inbound.foreign.raw))

	def test_every_failure_has_its_kind_and_says_no_secret(self) -> None:
		"""As the contract's; an open chat needs no opening,
		so each failure of one begins with another chat open.
		"""
		with self.scene() as scene:
			for kind, ways in scene.failures.items():
				for way in ways:
					scene.driver.send(text("for the other", MONA))
					way()
					with pytest.raises(SendError) as caught:
						scene.driver.send(self.message())
					assert caught.value.kind == kind, (kind, way, caught.value)
					assert "1001234567" not in str(caught.value)


@pytest.mark.parametrize(
	"body",
	[
		"عايز أعرف السعر 😀",
		"سطر أول\nسطر ثان\n\nبعد سطر فارغ 👨‍👩‍👧 ok",
		"<script>document.title='x'</script><img src=x onerror=alert(1)> & \"quotes\" 'single'",
		"*bold* _not closed and  two  spaces",
		"🇪🇬 ❤️ 👍🏽 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
		"https://example.com/?a=1&b=%20#x\t;",
	],
)
def test_a_text_arrives_as_it_was_written(page, body):
	page.open()
	accepted = page.driver.send(text(body))
	assert page.sent() == [(SAMY.digits, body)]
	assert accepted.ref.gateway_id == page.simulator.sent_log.rows()[0].gateway_id
	assert page.browser.title == "Stand-in for WhatsApp Web"


@pytest.mark.parametrize("editor", ["controlled", "paste"])
@pytest.mark.parametrize("draft", ["", "نسيت\nهذا"])
def test_a_text_arrives_as_it_was_written_whatever_the_editor(browser, editor, draft):
	with stage(browser, editor=editor) as made:
		made.simulator.chat_with(SAMY, draft=draft)
		made.open()
		bodies = ["عايز السعر 😀\n\n*كام* <b>؟", "تمام", "تمام"]
		for body in bodies:
			made.driver.send(text(body))
		assert made.sent() == [(SAMY.digits, body) for body in bodies]


def test_the_same_text_twice_is_two_messages(page):
	page.open()
	first, second = page.driver.send(text("تمام")), page.driver.send(text("تمام"))
	assert first.ref != second.ref
	assert page.sent() == [(SAMY.digits, "تمام")] * 2


def test_a_long_text_that_the_page_cuts_is_confirmed(page):
	page.open()
	page.driver.send(text("كلام " * 800 + "آخر"))
	assert len(page.sent()) == 1


@pytest.mark.parametrize(
	"settings",
	[
		{"language": "ar"},
		{"has_old_icons": True},
		{"ids": "lid"},
		{"ids": "opaque"},
		{"reloads": True},
		{"starting_ms": 2500},
		{"language": "ar", "has_old_icons": True, "ids": "opaque", "reloads": True},
	],
	ids=str,
)
def test_the_driver_copes_with_other_pages(browser, settings):
	with stage(browser, **settings) as made:
		made.open()
		for person in (SAMY, MONA, SAMY):
			made.driver.send(text("أهلاً 😀", person))
		assert made.sent() == [(one.digits, "أهلاً 😀") for one in (SAMY, MONA, SAMY)]


def test_a_box_that_comes_late_is_waited_for(page):
	page.open()
	page.simulator.fail_next("late")
	page.driver.send(text("صباح الخير"))
	assert page.sent() == [(SAMY.digits, "صباح الخير")]


def test_a_draft_left_in_the_box_is_not_sent(page):
	page.simulator.chat_with(SAMY, draft="نسيت هذا\nهنا")
	page.open()
	page.driver.send(text("الطلب جاهز"))
	assert page.sent() == [(SAMY.digits, "الطلب جاهز")]


def test_a_draft_does_not_become_the_caption_of_a_file(page):
	page.simulator.chat_with(SAMY, draft="سر")
	page.open()
	page.driver.send(file())
	page.driver.send(text("بعدها"))
	assert page.sent() == [(SAMY.digits, "صورة"), (SAMY.digits, "بعدها")]


@pytest.mark.parametrize("kind", ["image", "document"])
def test_a_file_arrives_byte_for_byte(page, kind):
	page.open()
	content = bytes(range(256)) * 50
	page.driver.send(file(kind, content=content, file_name="../عرض: سعر.pdf"))
	(row,) = page.simulator.sent_log.rows()
	assert (row.kind, row.body, row.payload["content"]) == (kind, "صورة", content)
	assert row.payload["file"] == ".._عرض_ سعر.pdf".lstrip(".")


@pytest.mark.parametrize("mode", ["stuck", "vanish", "failed_sent", "stuck_lost", "failed"])
def test_without_the_tick_nobody_knows_and_nothing_is_sent_again(page, mode):
	page.open()
	page.simulator.fail_next(mode)
	with pytest.raises(UnknownOutcome):
		page.driver.send(text("مرة واحدة"))
	assert len(page.sent()) <= 1


def test_a_message_stuck_at_the_clock_is_not_taken_for_the_next_one(page):
	page.open()
	page.simulator.fail_next("stuck", 2)
	for _ in range(2):
		with pytest.raises(UnknownOutcome):
			page.driver.send(text("تمام"))
	assert page.driver.send(text("تمام")).ref.gateway_id == page.simulator.sent_log.rows()[2].gateway_id


def test_logging_out_in_the_middle_leaves_doubt_and_then_stops_the_device(page):
	page.open()
	page.simulator.fail_next("log_out")
	with pytest.raises(UnknownOutcome):
		page.driver.send(text("أهلاً"))
	with pytest.raises(AuthError):
		page.driver.send(text("أهلاً"))
	assert page.sent() == []
	assert page.driver.get_status().state == "qr"


def test_a_number_that_is_not_on_whatsapp_is_reported_and_the_next_send_works(page):
	page.simulator.invalid.add(MONA.digits)
	page.open()
	with pytest.raises(RecipientError):
		page.driver.send(text("أهلاً", MONA))
	page.driver.send(text("أهلاً"))
	assert page.sent() == [(SAMY.digits, "أهلاً")]


@pytest.mark.parametrize(
	("state", "error", "shown"),
	[
		("qr", AuthError, ("qr", "")),
		("blocked", AuthError, ("restricted", "blocked")),
		("conflict", Retryable, ("disconnected", "conflict")),
		("loading", Retryable, ("connecting", "loading")),
		("blank", Retryable, ("disconnected", "unknown_page")),
	],
)
def test_a_page_that_is_not_ready_sends_nothing(browser, state, error, shown):
	with stage(browser, state=state) as made:
		made.open(shown[0])
		status = made.driver.get_status()
		assert (status.state, status.detail) == shown
		with pytest.raises(error) as caught:
			made.driver.send(text("أهلاً"))
		assert not isinstance(caught.value, UnknownOutcome)
		made.simulator.state = "ready"
		made.until(lambda: made.driver.get_status().state == "connected")
		assert made.sent() == []


def test_a_session_that_is_started_takes_over_from_another_window(browser):
	with stage(browser, state="conflict", language="ar") as made:
		made.open("disconnected")
		made.driver.start_session()
		made.until(lambda: made.driver.get_status().state == "connected")


def test_a_server_that_is_offline_sends_nothing(browser):
	with stage(browser, alert="alert-computer") as made:
		made.open("connecting")
		with pytest.raises(Retryable):
			made.driver.send(text("أهلاً"))


def test_a_phone_that_is_offline_stops_nobody(browser):
	with stage(browser, alert="alert-phone") as made:
		made.open()
		assert made.driver.get_status().detail == "phone_offline"
		made.driver.send(text("أهلاً"))


def test_without_a_browser_every_call_may_be_made_later():
	driver = WhatsAppWebDriver(WhatsAppWebSimulator.config.__get__(_Address())())
	recipient = text("x").recipient
	for act in (
		lambda: driver.send(text("أهلاً")),
		driver.get_status,
		driver.get_qr,
		driver.start_session,
		driver.log_out,
		driver.missed_webhook_events,
		lambda: driver.last_sent(recipient),
	):
		with pytest.raises(Retryable, match="not running"):
			act()


class _Address:
	url, language = "http://127.0.0.1:9", "en"


def test_a_browser_that_died_before_the_send_is_no_doubt(tmp_path):
	with chromium(tmp_path) as other, WhatsAppWebSimulator(now_ms) as simulator:
		made = Stage(other, simulator).open()
		other.close()
		with pytest.raises(Retryable):
			made.driver.send(text("أهلاً"))
		with pytest.raises(Retryable):
			made.driver.get_status()


def test_a_browser_that_dies_while_it_sends_leaves_doubt(tmp_path):
	psutil = pytest.importorskip("psutil", reason="needs psutil: pip install psutil")
	with chromium(tmp_path) as other, WhatsAppWebSimulator(now_ms) as simulator:
		made = Stage(other, simulator).open()
		chrome = psutil.Process(other.service.process.pid).children()[0]
		simulator.on_send = chrome.kill
		with pytest.raises(UnknownOutcome):
			made.driver.send(text("أهلاً"))
		assert made.sent() == [(SAMY.digits, "أهلاً")]
		with pytest.raises(Retryable):
			made.driver.send(text("أهلاً"))


def test_what_can_not_be_sent_is_refused_before_the_browser():
	driver = WhatsAppWebDriver(WhatsAppWebSimulator.config.__get__(_Address())())
	for message in (
		text("nul \x00"),
		text("half \ud83d"),
		file("video"),
		file(content=b""),
		file(caption="x" * 1025),
	):
		with pytest.raises(Permanent):
			driver.send(message)
