"""Customers' files: each by itself, tried as long as WhatsApp keeps them, and again when somebody asks."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from typing import Any

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import NotFound, UserError
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.abilities import FetchedMedia
from khalifa_whatsapp.services import media
from khalifa_whatsapp.services.unit_of_work import working
from khalifa_whatsapp.stores.base import StoreUnavailable
from tests.services.harness import MINUTE, Desk

HOUR = 60 * MINUTE
DAY = 24 * HOUR
URL = "/private/files/x.jpg"


class Killed(BaseException):
	"""What no `except` of ours sees: the worker is gone."""


class Gateway:
	"""The loopback driver with files to fetch: what comes of `media_id` is in `answers`,
	a picture otherwise.
	"""

	def __init__(self, desk: Desk) -> None:
		self._driver = desk.driver
		self.answers: dict[str, Any] = {}
		self.asked: list[str] = []

	def __getattr__(self, name: str) -> Any:
		return getattr(self._driver, name)

	def fetch_media(self, wanted: base.Media, ref: base.MessageRef, max_bytes: int) -> FetchedMedia:
		self.asked.append(wanted.media_id)
		answer = self.answers.get(wanted.media_id, FetchedMedia(b"bytes", "image/jpeg", "a.jpg"))
		if isinstance(answer, BaseException):
			raise answer
		return answer


class Shop:
	"""A desk to which customers have sent files, and a disk to store them on."""

	def __init__(self, *media_ids: str) -> None:
		self.desk = Desk(agents=1)
		self.desk.online()
		self.gateway = Gateway(self.desk)
		self.saved: list[str] = []
		self.disk: Callable[[records.Message], None] = lambda message: None
		for media_id in media_ids:
			self.send_file(media_id)

	def send_file(self, media_id: str) -> None:
		self.desk.now += 1
		self.desk.write("+201001234567", media_id)
		message = next(m for m in self.desk.all(records.Message) if m.body == media_id)
		waiting = dataclasses.replace(
			message, content_type="image", media_id=media_id, media_state=media.WAITING
		)
		with working(self.desk.store, self.desk.now) as work:
			work.touch(waiting)

	def message(self, media_id: str) -> records.Message:
		return next(m for m in self.desk.all(records.Message) if m.media_id == media_id)

	def fetch(self, later_ms: int = 0) -> media.Fetched:
		self.desk.now += later_ms
		return media.fetch(self.desk.store, self.gateway, lambda: self.desk.now, self.save)  # type: ignore[arg-type]

	def save(self, message: records.Message, fetched: FetchedMedia) -> str:
		self.disk(message)
		self.saved.append(message.media_id or "")
		return URL

	def states(self) -> dict[str, str | None]:
		return {m.media_id: m.media_state for m in self.desk.all(records.Message) if m.media_id}


def test_a_file_is_fetched_when_the_gateway_has_it():
	shop = Shop("m1")
	shop.gateway.answers["m1"] = base.Retryable("not yet")
	assert shop.fetch().later == 1
	assert (shop.message("m1").media_state, shop.message("m1").media_error) == (media.WAITING, "not yet")
	assert shop.fetch().later == 0, "not before its time"
	del shop.gateway.answers["m1"]
	assert shop.fetch(HOUR).stored == 1
	stored = shop.message("m1")
	assert (stored.media_state, stored.file_url, stored.media_error, stored.next_retry_ms) == (
		media.STORED,
		URL,
		None,
		None,
	)


def test_a_file_that_is_gone_says_so_to_the_open_page():
	shop = Shop("m1")
	shop.gateway.answers["m1"] = base.Permanent("The file is too big.")
	del shop.desk.notices[:]
	assert shop.fetch().failed == 1
	assert (shop.message("m1").media_state, shop.message("m1").media_error) == (
		media.FAILED,
		"The file is too big.",
	)
	assert [notice.data["event"] for notice in shop.desk.notices if notice.user] == ["file"]


RAISED = [
	OSError("cannot write mode LA as JPEG"),
	SyntaxError("not a TIFF file"),
	struct.error("unpack"),
	MemoryError("too much"),
	ValueError("embedded null byte"),
	RecursionError("too deep"),
	KeyError("x"),
	UnicodeDecodeError("utf-8", b"\xff", 0, 1, "?"),
	NotFound("no_such_ticket", "gone"),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("where", ["fetched", "stored"])
def test_whatever_one_file_raises_the_others_are_stored_and_it_fails_with_a_reason_in_the_end(where, error):
	shop = Shop("bad", "m2", "m3")

	def disk(message: records.Message) -> None:
		if message.media_id == "bad":
			raise error

	if where == "fetched":
		shop.gateway.answers["bad"] = error
	else:
		shop.disk = disk
	done = shop.fetch()
	assert (done.stored, done.later, len(done.faults)) == (2, 1, 1)
	assert type(error).__name__ in done.faults[0] and str(error) not in done.faults[0]
	for _ in range(media.MAX_FAULTS):
		shop.fetch(HOUR)
	bad = shop.message("bad")
	assert (bad.media_state, bad.media_error, bad.file_url) == (media.FAILED, media.FAULT, None)
	assert bad.attempts == media.MAX_FAULTS
	assert shop.states() == {"bad": media.FAILED, "m2": media.STORED, "m3": media.STORED}


def test_a_file_that_kills_the_worker_each_time_is_behind_the_others_and_given_up():
	shop = Shop("bad", "m2")
	shop.gateway.answers["bad"] = Killed()
	for number in range(media.MAX_STOPS):
		with pytest.raises(Killed):
			shop.fetch(HOUR)
		assert shop.message("bad").attempts == number + 1
		shop.send_file(f"new{number}")
	assert shop.fetch(HOUR).failed == 1
	states = shop.states()
	assert states.pop("bad") == media.FAILED and shop.message("bad").media_error == media.GIVEN_UP
	assert set(states.values()) == {media.STORED}
	assert shop.gateway.asked.count("bad") == media.MAX_STOPS


def test_nothing_is_kept_of_a_file_whose_message_is_not_written():
	shop = Shop("m1")

	def disk(message: records.Message) -> None:
		shop.desk.store.run(
			"UPDATE `tabKhalifa Message` SET file_name = 'half.jpg' WHERE name = ?", (message.name,)
		)
		raise OSError("write failed")

	shop.disk = disk
	shop.fetch()
	assert shop.message("m1").file_name is None


def test_a_database_that_is_away_uses_up_one_try_and_fails_no_file():
	shop = Shop("m1", "m2")
	shop.gateway.answers["m1"] = StoreUnavailable("away")
	with pytest.raises(StoreUnavailable):
		shop.fetch()
	del shop.gateway.answers["m1"]
	assert shop.fetch(MINUTE).stored == 2


def test_a_message_that_is_gone_or_taken_back_meanwhile_stops_no_other():
	shop = Shop("gone", "taken", "m3")
	gone = shop.message("gone").name
	with working(shop.desk.store, shop.desk.now) as work:
		work.touch(dataclasses.replace(shop.message("taken"), is_revoked=1))

	def disk(message: records.Message) -> None:
		shop.desk.store.run("DELETE FROM `tabKhalifa Message` WHERE name = ?", (gone,))

	shop.disk = disk
	shop.gateway.answers["gone"] = base.Retryable("not yet")
	assert shop.fetch().stored == 1
	shop.fetch(HOUR)
	assert shop.states() == {"taken": None, "m3": media.STORED}
	assert "taken" not in shop.gateway.asked


def test_a_row_that_can_not_be_written_keeps_no_other_file_waiting():
	shop = Shop("bad", "m2")
	shop.desk.store.run(
		"CREATE TRIGGER broken BEFORE UPDATE ON `tabKhalifa Message` WHEN old.media_id = 'bad' "
		"BEGIN SELECT RAISE(ABORT, 'a customer wrote this'); END"
	)
	done = shop.fetch()
	assert (done.stored, len(done.faults)) == (1, 1) and "customer" not in done.faults[0]
	assert shop.states()["m2"] == media.STORED


def test_a_refused_login_uses_up_no_tries_and_no_other_file_is_asked_for():
	shop = Shop("m1", "m2")
	shop.gateway.answers = dict.fromkeys(("m1", "m2"), base.AuthError("The access token is not accepted."))
	for hour in range(6 * 24):
		done = shop.fetch(HOUR)
		assert isinstance(done.stopped_by, base.AuthError), hour
	assert len(shop.gateway.asked) == 6 * 24
	assert {shop.message(name).attempts for name in ("m1", "m2")} == {0}
	shop.gateway.answers.clear()
	assert shop.fetch(media.REFUSED_MS).stored == 2


@pytest.mark.parametrize(
	"error",
	[
		base.Retryable("down"),
		base.UnknownOutcome("timeout"),
		base.AuthError("refused"),
		base.RateLimited("slow"),
	],
)
def test_a_file_is_tried_for_seven_days_and_then_says_why_it_is_given_up(error):
	shop = Shop("m1")
	shop.gateway.answers["m1"] = error
	for _ in range(7 * 24 - 1):
		shop.fetch(HOUR + MINUTE // 2)
		if shop.desk.now - shop.message("m1").received_ms < media.KEPT_MS:
			assert shop.message("m1").media_state == media.WAITING
	shop.fetch(2 * HOUR)
	assert (shop.message("m1").media_state, shop.message("m1").media_error) == (media.FAILED, media.EXPIRED)
	assert len(shop.gateway.asked) <= 7 * 24 + 1


def test_between_tries_there_is_more_and_more_time_up_to_an_hour():
	shop = Shop("m1")
	shop.gateway.answers["m1"] = base.Retryable("down")
	for _ in range(3 * 24 * 60):
		shop.fetch(MINUTE)
	assert 3 * 24 <= len(shop.gateway.asked) <= 2 * 3 * 24 + 12


def test_a_full_disk_keeps_other_files_from_being_fetched_for_nothing_and_fails_none():
	shop = Shop("m1", "m2")

	def full(message: records.Message) -> None:
		raise media.OurFault("The disk of this server is full.")

	shop.disk = full
	for _ in range(20):
		done = shop.fetch(HOUR)
		assert (done.failed, done.later) == (0, 1) and isinstance(done.stopped_by, media.OurFault)
	assert shop.message("m1").media_error == "The disk of this server is full."
	shop.disk = lambda message: None
	assert shop.fetch(HOUR).stored == 2


def test_a_run_ends_when_its_time_is_over():
	shop = Shop("m1", "m2", "m3")

	def slow(message: records.Message) -> None:
		shop.desk.now += 45_000

	shop.disk = slow
	assert shop.fetch().stored == 2
	assert shop.fetch().stored == 1


def test_what_was_given_up_is_fetched_again_when_somebody_asks():
	shop = Shop("m1")
	shop.gateway.answers["m1"] = base.Permanent("The file is gone from WhatsApp.")
	shop.fetch()
	with pytest.raises(NotFound):
		media.ask_again(shop.desk.store, "no-such-message", shop.desk.now)
	asked = media.ask_again(shop.desk.store, shop.message("m1").name, shop.desk.now)
	assert (asked.media_state, asked.media_error, asked.attempts) == (media.WAITING, None, 0)
	shop.gateway.answers.clear()
	assert shop.fetch().stored == 1
	with pytest.raises(UserError) as refused:
		media.ask_again(shop.desk.store, shop.message("m1").name, shop.desk.now)
	assert refused.value.code == "file_is_there"


def test_asking_again_after_a_week_is_one_real_try():
	shop = Shop("m1")
	shop.gateway.answers["m1"] = base.Permanent("gone")
	shop.fetch()
	shop.desk.now += 8 * DAY
	media.ask_again(shop.desk.store, shop.message("m1").name, shop.desk.now)
	del shop.gateway.answers["m1"]
	assert shop.fetch().stored == 1


def test_reasons_are_sentences_that_fit_and_are_found_by_translations():
	for text in (media.UNDER_WAY, media.GIVEN_UP, media.EXPIRED, media.FAULT):
		assert len(text) <= media.MAX_ERROR, text
	shop = Shop("m1")
	shop.gateway.answers["m1"] = base.Permanent("The customer's file can't be \"read\".")
	shop.fetch()
	assert shop.message("m1").media_error == "The customer's file can't be \"read\"."
