"""The simulated gateways, tried through the drivers: what they post is understood, what we send is taken."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	AuthError,
	Event,
	InboundMessage,
	MessageDriver,
	MessageStatus,
	NotVerified,
	OutboundEcho,
	OutgoingMedia,
	OutgoingText,
	Permanent,
	SendError,
	SessionState,
	WebhookCall,
)
from khalifa_whatsapp.drivers.factory import make_driver
from simulation.simulators import CloudApiSimulator, Faults, Person, WppConnectSimulator

SAMY = Person(digits="201001234567", name="سامي", user_id="EG.90000000000000001")
MONA = Person(digits="201223456789", name="منى", lid="98765432109876")
HIDDEN = Person(name="ليلى", user_id="EG.90000000000000002", lid="11112222333344")
PHONE, USER, LID = (
	Identity("phone", "+201001234567"),
	Identity("bsuid", HIDDEN.user_id),
	Identity("lid", MONA.lid),
)
START_MS = 1_795_160_400_000


class Clock:
	"""A clock that stands still until it is told to go on."""

	def __init__(self) -> None:
		self.ms = START_MS

	def __call__(self) -> int:
		return self.ms


class Endpoint:
	"""A webhook endpoint as the app has one: verify, keep, answer."""

	def __init__(self, driver: MessageDriver) -> None:
		self.driver = driver
		self.calls: list[WebhookCall] = []
		self.refused = 0
		self.broken = 0  # answer this many calls with 503 first
		self.url = ""
		self._lock = threading.Lock()

	def take(self, call: WebhookCall) -> int:
		with self._lock:
			if self.broken:
				self.broken -= 1
				return 503
			try:
				self.driver.verify(call)
			except NotVerified:
				self.refused += 1
				return 401
			self.calls.append(call)
			return 200

	def events(self) -> list[Event]:
		return [event for call in self.calls for event in self.driver.parse(call.raw)]


@contextmanager
def endpoint_of(driver: MessageDriver) -> Iterator[Endpoint]:
	endpoint = Endpoint(driver)

	class Handler(BaseHTTPRequestHandler):
		def do_POST(self) -> None:
			raw = self.rfile.read(int(self.headers["Content-Length"]))
			headers = {name.lower(): value for name, value in self.headers.items()}
			query = dict(parse_qsl(urlsplit(self.path).query))
			self.send_response(endpoint.take(WebhookCall(raw, headers, query)))
			self.send_header("Content-Length", "0")
			self.end_headers()

		def log_message(self, format: str, *args: object) -> None:
			return

	server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
	thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
	thread.start()
	endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
	try:
		yield endpoint
	finally:
		server.shutdown()
		server.server_close()
		thread.join(5)


def text(recipient: Identity, body: str, callback: str = "") -> OutgoingText:
	return OutgoingText(recipient=(recipient,), body=body, callback=callback)


def terms(events: list[Event]) -> list[str]:
	return [event.body for event in events if isinstance(event, InboundMessage)]


def steps(events: list[Event]) -> list[str]:
	return [event.status for event in events if isinstance(event, MessageStatus)]


@pytest.fixture
def clock() -> Clock:
	return Clock()


@pytest.fixture
def cloud(clock: Clock) -> Iterator[CloudApiSimulator]:
	with CloudApiSimulator(clock, stall_seconds=2) as simulator:
		yield simulator


@pytest.fixture
def wpp(clock: Clock) -> Iterator[WppConnectSimulator]:
	with WppConnectSimulator(clock, stall_seconds=2) as simulator:
		yield simulator


def test_a_cloud_send_is_recorded_and_its_statuses_come_in_time(
	cloud: CloudApiSimulator, clock: Clock
) -> None:
	driver = make_driver(cloud.config())
	cloud.know(SAMY)
	accepted = driver.send(text(PHONE, "أهلاً", "WA-OUT-1"))
	(row,) = cloud.sent_log.rows()
	assert (row.gateway_id, row.to, row.body, row.callback) == (
		accepted.ref.gateway_id,
		SAMY.digits,
		"أهلاً",
		"WA-OUT-1",
	)
	with endpoint_of(driver) as endpoint:
		assert cloud.deliver(endpoint.url).made == 0
		for ms, expected in (
			(300, ["sent"]),
			(1_500, ["sent", "delivered"]),
			(60_000, ["sent", "delivered", "read"]),
		):
			clock.ms = START_MS + ms
			cloud.deliver(endpoint.url)
			assert steps(endpoint.events()) == expected
		status = endpoint.events()[0]
	assert isinstance(status, MessageStatus)
	assert status.callback == "WA-OUT-1"
	assert status.ref == accepted.ref
	assert status.recipient == (PHONE, Identity("bsuid", SAMY.user_id))


def test_a_wpp_send_is_recorded_and_its_acks_come_in_time(wpp: WppConnectSimulator, clock: Clock) -> None:
	driver = make_driver(wpp.config())
	accepted = driver.send(text(PHONE, "أهلاً"))
	assert [row.gateway_id for row in wpp.sent_log.rows()] == [accepted.ref.gateway_id]
	with endpoint_of(driver) as endpoint:
		for ms, expected in (
			(300, ["sent"]),
			(1_500, ["sent", "delivered"]),
			(60_000, ["sent", "delivered", "read"]),
		):
			clock.ms = START_MS + ms
			wpp.deliver(endpoint.url, workers=1)
			assert steps(endpoint.events()) == expected
		assert {event.ref for event in endpoint.events() if isinstance(event, MessageStatus)} == {
			accepted.ref
		}


def test_an_ack_may_name_the_chat_otherwise_than_the_send_did(wpp: WppConnectSimulator) -> None:
	wpp.know(MONA)
	driver = make_driver(wpp.config())
	accepted = driver.send(text(Identity("phone", "+201223456789"), "أهلاً"))
	events = [event for post in wpp.take(everything=True) for event in driver.parse(post.raw)]
	assert {event.ref for event in events if isinstance(event, MessageStatus)} == {accepted.ref}
	assert accepted.recipient == (LID,)


def test_customers_of_all_kinds_are_understood(cloud: CloudApiSimulator, wpp: WppConnectSimulator) -> None:
	for simulator in (cloud, wpp):
		driver = make_driver(simulator.config())
		for person in (SAMY, MONA, HIDDEN):
			simulator.customer_text(person, f"أنا {person.name}")
		posts = simulator.take()
		events = [event for post in posts for event in driver.parse(post.raw)]
		assert terms(events) == ["أنا سامي", "أنا منى", "أنا ليلى"]
		assert all(event.sender for event in events if isinstance(event, InboundMessage))
		assert isinstance(events[2], InboundMessage)
		assert events[2].sender == ((USER,) if simulator is cloud else (Identity("lid", HIDDEN.lid),))


def test_a_customers_file_can_be_fetched(cloud: CloudApiSimulator, wpp: WppConnectSimulator) -> None:
	cloud.customer_media(SAMY, "voice", b"OggS", "audio/ogg; codecs=opus")
	(event,) = make_driver(cloud.config()).parse(cloud.take()[0].raw)
	assert isinstance(event, InboundMessage)
	assert event.content_type == "voice"
	assert event.media is not None
	auth = {"Authorization": f"Bearer {cloud.access_token}"}
	location = requests.get(f"{cloud.url}/v26.0/{event.media.media_id}", headers=auth, timeout=5).json()
	assert requests.get(location["url"], headers=auth, timeout=5).content == b"OggS"
	assert requests.get(location["url"], timeout=5).status_code == 401

	wpp.customer_media(MONA, "image", b"\xff\xd8" * 200, "image/jpeg", "الفاتورة", is_inline=True)
	(event,) = make_driver(wpp.config()).parse(wpp.take()[0].raw)
	assert isinstance(event, InboundMessage)
	assert event.media is not None
	assert (event.content_type, event.body, event.media.is_inline) == ("image", "الفاتورة", True)
	assert event.media.media_id in wpp.chats.media


def test_a_file_of_ours_arrives_whole(cloud: CloudApiSimulator, wpp: WppConnectSimulator) -> None:
	picture = OutgoingMedia(
		recipient=(PHONE,),
		kind="document",
		content=bytes(range(256)) * 40,
		mime_type="application/pdf",
		file_name="عرض سعر.pdf",
		caption="العرض",
	)
	make_driver(cloud.config()).send(picture)
	(row,) = cloud.sent_log.rows()
	kept = cloud.media.find(row.payload["document"]["id"])
	assert kept is not None
	assert (kept.content, kept.mime_type) == (picture.content, "application/pdf")
	assert row.payload["document"]["filename"] == "عرض سعر.pdf"
	make_driver(wpp.config()).send(picture)
	(row,) = wpp.sent_log.rows()
	assert row.payload["filename"] == "عرض سعر.pdf"
	assert row.payload["base64"].startswith("data:application/pdf;base64,AAEC")


def test_a_doubtful_upload_sent_nothing_and_is_retryable(cloud: CloudApiSimulator) -> None:
	driver = make_driver(cloud.config(read_timeout=0.2))
	cloud.fail_next_upload("read_timeout")
	with pytest.raises(SendError) as caught:
		driver.send(OutgoingMedia(recipient=(PHONE,), kind="image", content=b"x", mime_type="image/jpeg"))
	assert caught.value.kind == "retryable"
	assert len(cloud.sent_log) == 0


def test_a_broken_endpoint_gets_cloud_webhook_events_again_and_wpp_ones_never(
	cloud: CloudApiSimulator, wpp: WppConnectSimulator, clock: Clock
) -> None:
	for simulator, expected in ((cloud, ["مرحبا"]), (wpp, [])):
		simulator.customer_text(SAMY, "مرحبا")
		with endpoint_of(make_driver(simulator.config())) as endpoint:
			endpoint.broken = 2
			for _ in range(4):
				simulator.deliver(endpoint.url)
				clock.ms += 10_000
			assert terms(endpoint.events()) == expected
			assert len(simulator.queue) == 0


def test_a_endpoint_with_another_secret_believes_nothing(cloud: CloudApiSimulator) -> None:
	with endpoint_of(make_driver(cloud.config(app_secrets=("other",)))) as endpoint:
		cloud.customer_text(SAMY, "مرحبا")
		report = cloud.deliver(endpoint.url)
		assert (report.taken, report.retried, endpoint.refused) == (0, 1, 1)


def test_faults_lose_nothing_and_double_and_shuffle_much(clock: Clock) -> None:
	faults = Faults(duplicate=0.3, reorder=0.5, late=0.2, batch_size=8)
	with CloudApiSimulator(clock, faults=faults, seed=3) as cloud:
		bodies = [f"رسالة {number}" for number in range(300)]
		for body in bodies:
			cloud.customer_text(SAMY, body)
			clock.ms += 1_000
		with endpoint_of(make_driver(cloud.config())) as endpoint:
			report = cloud.deliver(endpoint.url, workers=8)
			clock.ms += 120_000
			cloud.deliver(endpoint.url, workers=8)
			arrived = terms(endpoint.events())
		assert report.made < 200
		assert set(arrived) == set(bodies)
		assert len(arrived) > 330
		assert arrived != sorted(arrived, key=bodies.index)


def test_a_seed_makes_a_run_repeatable() -> None:
	def run() -> list[bytes]:
		cloud = CloudApiSimulator(Clock(), faults=Faults(0.2, 0.3, 0.2, batch_size=5), seed=11)
		for number in range(50):
			cloud.customer_text(SAMY, str(number))
		return [post.raw for post in cloud.take(everything=True)]

	assert run() == run()


def test_batches_hold_many_entries_changes_and_messages() -> None:
	cloud = CloudApiSimulator(Clock(), faults=Faults(batch_size=50), seed=1)
	for number in range(200):
		cloud.customer_text(SAMY if number % 2 else HIDDEN, str(number))
	shapes: Counter[str] = Counter()
	for post in cloud.take():
		entries = json.loads(post.raw)["entry"]
		shapes["entries"] = max(shapes["entries"], len(entries))
		for entry in entries:
			shapes["changes"] = max(shapes["changes"], len(entry["changes"]))
			for change in entry["changes"]:
				shapes["messages"] = max(shapes["messages"], len(change["value"]["messages"]))
				assert len(change["value"]["contacts"]) <= 2
	assert all(shapes[key] > 2 for key in ("entries", "changes", "messages"))


def test_doubtful_failures_show_in_the_log_whether_it_went(
	cloud: CloudApiSimulator, wpp: WppConnectSimulator
) -> None:
	for simulator in (cloud, wpp):
		driver = make_driver(simulator.config(read_timeout=0.2))
		gone = {"read_timeout": 1, "reset": 1, "html_200": 1, "no_id": 1, "502": 1}
		lost = {"read_timeout_lost": 0, "reset_lost": 0, "500": 0}
		for mode, taken in {**gone, **lost}.items():
			before = len(simulator.sent_log)
			simulator.fail_next(mode)
			with pytest.raises(SendError) as caught:
				driver.send(text(PHONE, "أهلاً"))
			assert caught.value.kind == "unknown", mode
			assert len(simulator.sent_log) - before == taken, mode


def test_failures_may_come_by_chance(cloud: CloudApiSimulator) -> None:
	cloud.failures.rates = {"131026": 0.3}
	driver = make_driver(cloud.config())
	kinds: Counter[str] = Counter()
	for number in range(100):
		try:
			driver.send(text(PHONE, "أهلاً", f"key-{number}"))
			kinds["accepted"] += 1
		except SendError as error:
			kinds[error.kind] += 1
	assert kinds["accepted"] == len(cloud.sent_log)
	assert 15 < kinds["recipient"] < 45
	assert cloud.sent_log.duplicates() == []
	cloud.failures.rates = {}
	driver.send(text(PHONE, "أهلاً", cloud.sent_log.rows()[0].callback))
	assert len(cloud.sent_log.duplicates()) == 1


def test_a_message_may_be_taken_and_fail_later(cloud: CloudApiSimulator) -> None:
	cloud.fail_next("status:131047")
	driver = make_driver(cloud.config())
	driver.send(text(PHONE, "أهلاً", "key"))
	(event,) = driver.parse(cloud.take(everything=True)[0].raw)
	assert isinstance(event, MessageStatus)
	assert (event.status, event.error_kind, event.callback) == ("failed", "window_closed", "key")


def test_a_closed_window_lets_texts_fail(clock: Clock) -> None:
	with CloudApiSimulator(clock, has_window=True) as cloud:
		driver = make_driver(cloud.config())
		cloud.customer_text(SAMY, "مرحبا")
		cloud.take()
		driver.send(text(PHONE, "أهلاً"))
		assert steps(driver.parse(cloud.take(everything=True)[0].raw)) == ["sent"]
		clock.ms += 25 * 3_600_000
		driver.send(text(PHONE, "أهلاً"))
		assert steps(driver.parse(cloud.take(everything=True)[-1].raw)) == ["failed"]


def test_wrong_token_wrong_number_and_lost_session(
	cloud: CloudApiSimulator, wpp: WppConnectSimulator
) -> None:
	for config in (
		cloud.config(access_token="wrong"),
		cloud.config(phone_number_id="1"),
		wpp.config(access_token="wrong"),
	):
		driver = make_driver(config)
		with pytest.raises(AuthError):
			driver.send(text(PHONE, "أهلاً"))
		with pytest.raises(AuthError):
			driver.get_status()
	wpp.set_connected(False)
	driver = make_driver(wpp.config())
	assert driver.parse(wpp.take()[0].raw) == [SessionState("disconnected", "disconnectedMobile")]
	assert driver.get_status().state == "disconnected"
	with pytest.raises(SendError, match="not connected"):
		driver.send(text(PHONE, "أهلاً"))
	assert len(wpp.sent_log) == 0


def test_meta_refuses_what_is_no_message(cloud: CloudApiSimulator) -> None:
	url = f"{cloud.url}/v26.0/{cloud.phone_number_id}/messages"
	auth = {"Authorization": f"Bearer {cloud.access_token}"}
	for body in (
		{},
		{"messaging_product": "whatsapp", "to": "1", "type": "text"},
		{"messaging_product": "whatsapp"},
	):
		answer = requests.post(url, json=body, headers=auth, timeout=5)
		assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


def test_what_staff_write_on_the_phone_comes_as_an_echo(wpp: WppConnectSimulator) -> None:
	wpp.phone_text(SAMY, "رد من التليفون")
	(event,) = make_driver(wpp.config()).parse(wpp.take()[0].raw)
	assert isinstance(event, OutboundEcho)
	assert (event.body, event.recipient) == ("رد من التليفون", (PHONE,))


def test_our_own_sends_may_come_back_as_echoes(clock: Clock) -> None:
	with WppConnectSimulator(clock, has_self_messages=True) as wpp:
		driver = make_driver(wpp.config())
		accepted = driver.send(text(PHONE, "أهلاً"))
		(event,) = driver.parse(wpp.take()[0].raw)
		assert isinstance(event, OutboundEcho)
		assert event.ref == accepted.ref


def test_the_history_of_a_chat_shows_of_a_doubtful_send(wpp: WppConnectSimulator) -> None:
	wpp.fail_next("reset")
	with pytest.raises(SendError):
		make_driver(wpp.config()).send(text(PHONE, "أهلاً"))
	url = f"{wpp.url}/api/shop1/get-messages/{SAMY.digits}"
	answer = requests.get(url, headers={"Authorization": f"Bearer {wpp.access_token}"}, timeout=5).json()
	assert [item["body"] for item in answer["response"]] == ["أهلاً"]


def test_many_senders_at_once_are_all_recorded(cloud: CloudApiSimulator) -> None:
	drivers = [make_driver(cloud.config()) for _ in range(4)]

	def send(number: int) -> str:
		return drivers[number % 4].send(text(PHONE, "أهلاً", f"key-{number}")).ref.gateway_id

	with ThreadPoolExecutor(4) as pool:
		ids = list(pool.map(send, range(100)))
	assert sorted(ids) == sorted(row.gateway_id for row in cloud.sent_log.rows())
	assert len(set(ids)) == 100
	assert cloud.sent_log.duplicates() == []


def test_a_stopped_simulator_is_a_refused_connection(clock: Clock) -> None:
	with CloudApiSimulator(clock) as cloud:
		driver = make_driver(cloud.config(connect_timeout=0.3))
		driver.send(text(PHONE, "أهلاً"))
	with pytest.raises(SendError) as caught:
		driver.send(text(PHONE, "أهلاً"))
	assert caught.value.kind == "retryable"
	with pytest.raises(RuntimeError, match="start"):
		assert cloud.url


def test_a_text_that_is_too_long_never_reaches_the_gateway(cloud: CloudApiSimulator) -> None:
	with pytest.raises(Permanent, match="too long"):
		make_driver(cloud.config()).send(text(PHONE, "x" * 4_097))
