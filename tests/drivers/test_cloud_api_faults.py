"""What the Cloud API driver makes of every way in which Meta can fail it:
nothing is called sent or unsent wrongly.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	AuthError,
	DeviceConfig,
	MessageRef,
	OutgoingMedia,
	OutgoingTemplate,
	OutgoingText,
	Permanent,
	RateLimited,
	RecipientError,
	Retryable,
	SendError,
	UnknownOutcome,
	WindowClosed,
)
from khalifa_whatsapp.drivers.cloud_api import CloudApiDriver
from simulation.simulators import CloudApiSimulator, Person

PHONE = Identity("phone", "+201001234567")
TEXT = OutgoingText(recipient=(PHONE,), body="أهلاً", callback="WA-OUT-1")
PICTURE = OutgoingMedia(recipient=(PHONE,), kind="image", content=b"\xff\xd8" * 50, mime_type="image/jpeg")
SAMY = Person(digits="201001234567", name="سامي")
READ_TIMEOUT = 0.3
LONGEST = 4 * READ_TIMEOUT + 1.5  # seconds that any call may take, with room for a busy machine


@pytest.fixture
def cloud() -> Iterator[CloudApiSimulator]:
	with CloudApiSimulator(lambda: 1_795_160_400_000, stall_seconds=20) as simulator:
		yield simulator


def driver_of(cloud: CloudApiSimulator, **more: Any) -> CloudApiDriver:
	return CloudApiDriver(cloud.config(read_timeout=READ_TIMEOUT, connect_timeout=READ_TIMEOUT, **more))


def failure(driver: CloudApiDriver, message: Any = TEXT) -> SendError:
	with pytest.raises(SendError) as caught:
		driver.send(message)
	assert not any(secret in str(caught.value) for secret in ("simulated-token", "1001234567", "127.0.0.1"))
	return caught.value


@pytest.mark.parametrize(
	("mode", "kind", "taken"),
	[
		("read_timeout", UnknownOutcome, 1),
		("read_timeout_lost", UnknownOutcome, 0),
		("reset", UnknownOutcome, 1),
		("reset_lost", UnknownOutcome, 0),
		("502", UnknownOutcome, 1),
		("500", UnknownOutcome, 0),
		("html_200", UnknownOutcome, 1),
		("no_id", UnknownOutcome, 1),
		("truncated", UnknownOutcome, 1),
		("cut", UnknownOutcome, 1),
		("drip", UnknownOutcome, 1),
		("500:131016", Retryable, 0),
		("503:2", Retryable, 0),
		("503:777777", UnknownOutcome, 0),
		("429", RateLimited, 0),
		("131056", RateLimited, 0),
		("190", AuthError, 0),
		("403:10", AuthError, 0),
		("131047", WindowClosed, 0),
		("131026", RecipientError, 0),
		("132000", Permanent, 0),
	],
)
def test_a_failed_send_is_what_it_is(
	cloud: CloudApiSimulator, mode: str, kind: type[SendError], taken: int
) -> None:
	driver = driver_of(cloud)
	cloud.fail_next(mode)
	before = time.monotonic()
	assert type(failure(driver)) is kind
	assert time.monotonic() - before < LONGEST
	assert len(cloud.sent_log) == taken
	assert driver.send(TEXT).ref.gateway_id  # and nothing of it is left in the connection


@pytest.mark.parametrize(
	"mode", ["read_timeout", "reset", "502", "500", "html_200", "truncated", "cut", "drip"]
)
def test_a_failed_upload_has_sent_nothing_and_may_go_again(cloud: CloudApiSimulator, mode: str) -> None:
	"""A drip lasts longest here: an upload may take ten read timeouts, for lines are slow."""
	cloud.fail_next_upload(mode)
	driver = driver_of(cloud)
	assert type(failure(driver, PICTURE)) is Retryable
	assert len(cloud.sent_log) == 0
	driver.send(PICTURE)
	assert len(cloud.sent_log) == 1


def test_a_template_with_a_picture_uploads_it_first(cloud: CloudApiSimulator) -> None:
	cloud.templates.add(
		"offer", "ar", [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "عرض"}]
	)
	message = OutgoingTemplate(recipient=(PHONE,), name="offer", language="ar", header_media=PICTURE)
	cloud.fail_next_upload("500")
	driver = driver_of(cloud)
	assert type(failure(driver, message)) is Retryable
	driver.send(message)
	(row,) = cloud.sent_log.rows()
	(header,) = row.payload["template"]["components"]
	kept = cloud.media.find(header["parameters"][0]["image"]["id"])
	assert kept is not None
	assert kept.content == PICTURE.content


@pytest.mark.parametrize(
	("mode", "seconds", "is_pair"), [("429", 7.0, False), ("130429", None, False), ("131056", 6.0, True)]
)
def test_a_limit_says_for_whom_and_for_how_long(
	cloud: CloudApiSimulator, mode: str, seconds: float | None, is_pair: bool
) -> None:
	cloud.fail_next(mode)
	error = failure(driver_of(cloud))
	assert isinstance(error, RateLimited)
	assert (error.retry_after, error.is_pair) == (seconds, is_pair)


def test_questions_are_never_in_doubt(cloud: CloudApiSimulator) -> None:
	"""Reading the state, the templates, or marking as read may simply be done again."""
	with hanging_server() as url:
		config = DeviceConfig(
			"c", "cloud_api", base_url=url, phone_number_id="6", business_account_id="5", read_timeout=0.2
		)
		driver = CloudApiDriver(config)
		for ask in (
			driver.get_status,
			driver.list_templates,
			lambda: driver.mark_read(MessageRef("wamid.1"), (PHONE,)),
		):
			with pytest.raises(SendError) as caught:
				ask()
			assert type(caught.value) is Retryable


def test_a_message_is_marked_as_read_with_or_without_typing(cloud: CloudApiSimulator) -> None:
	gateway_id = cloud.customer_text(SAMY, "مرحبا")
	driver = driver_of(cloud)
	driver.mark_read(MessageRef(gateway_id), (PHONE,))
	driver.mark_read(MessageRef(gateway_id), (PHONE,), is_typing=True)
	assert cloud.reads == [(gateway_id, False), (gateway_id, True)]
	with pytest.raises(Permanent):
		driver.mark_read(MessageRef("wamid.NOBODY"), (PHONE,))


def test_the_state_can_be_read_from_a_version_that_lacks_a_field(cloud: CloudApiSimulator) -> None:
	driver = driver_of(cloud)
	assert driver.get_status().data["limit"] == "TIER_2K"
	del cloud.number["whatsapp_business_manager_messaging_limit"]
	state = driver.get_status()
	assert (state.state, state.data) == ("connected", {"quality": "GREEN", "health": "AVAILABLE"})


def test_all_pages_of_templates_are_read_by_cursor(cloud: CloudApiSimulator) -> None:
	for number in range(250):
		cloud.templates.add(f"offer_{number}", "ar", [{"type": "BODY", "text": "عرض"}], status="PAUSED")
	templates = driver_of(cloud).list_templates()
	assert [one.name for one in templates] == [f"offer_{number}" for number in range(250)]
	assert {one.status for one in templates} == {"PAUSED"}


def test_a_list_of_templates_that_does_not_end_is_given_up(
	cloud: CloudApiSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr("khalifa_whatsapp.drivers.cloud_api.templates.MAX_PAGES", 3)
	monkeypatch.setattr("khalifa_whatsapp.drivers.cloud_api.templates.PAGE_SIZE", 1)
	for number in range(4):
		cloud.templates.add(f"offer_{number}", "ar", [])
	with pytest.raises(Permanent, match="does not end"):
		driver_of(cloud).list_templates()


@pytest.mark.parametrize("account", ["", "1"])
def test_without_an_account_there_are_no_templates_and_the_number_is_well(
	cloud: CloudApiSimulator, account: str
) -> None:
	driver = driver_of(cloud, business_account_id=account)
	with pytest.raises(Permanent, match="business account id"):
		driver.list_templates()
	assert driver.get_status().state == "connected"


def test_a_connection_that_served_well_may_drip_later(cloud: CloudApiSimulator) -> None:
	driver = driver_of(cloud)
	driver.send(TEXT)
	cloud.fail_next("drip")
	before = time.monotonic()
	assert failure(driver).code == "deadline"
	assert time.monotonic() - before < LONGEST


def test_one_slow_device_does_not_hold_another(cloud: CloudApiSimulator) -> None:
	cloud.fail_next("drip")
	with ThreadPoolExecutor(2) as pool:
		slow = pool.submit(failure, driver_of(cloud))
		_wait_for(lambda: len(cloud.sent_log) == 1)
		before = time.monotonic()
		driver_of(cloud).send(TEXT)
		assert time.monotonic() - before < 1
		assert slow.result().code == "deadline"


def test_a_name_without_an_address_was_surely_not_sent() -> None:
	assert type(failure(_driver("http://gateway.invalid"))) is Retryable


def test_a_closed_port_was_surely_not_sent_and_the_next_try_may_go(cloud: CloudApiSimulator) -> None:
	with socket.create_server(("127.0.0.1", 0)) as server:
		port = server.getsockname()[1]
	driver = CloudApiDriver(cloud.config(base_url=f"http://127.0.0.1:{port}", connect_timeout=0.3))
	assert type(failure(driver)) is Retryable
	with CloudApiSimulator(lambda: 0) as other:
		other.stop()
		other.start(port)
		driver.send(TEXT)
		assert len(other.sent_log) == 1


def test_a_black_hole_was_surely_not_sent() -> None:
	"""A listener whose queue is full answers no more handshakes, as a firewall that drops packets."""
	with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
		held = [socket.socket() for _ in range(4)]
		for one in held:
			one.setblocking(False)
			one.connect_ex(server.getsockname())
		before = time.monotonic()
		error = failure(_driver(f"http://127.0.0.1:{server.getsockname()[1]}"))
		assert (type(error), error.code) == (Retryable, "connect_timeout")
		assert time.monotonic() - before < 2
		for one in held:
			one.close()


def test_a_server_without_tls_was_surely_not_sent(cloud: CloudApiSimulator) -> None:
	driver = _driver(cloud.url.replace("http:", "https:"))
	assert type(failure(driver)) is Retryable
	assert len(cloud.sent_log) == 0


def test_a_false_certificate_was_surely_not_sent(certificate: tuple[Path, Path]) -> None:
	received: list[bytes] = []
	with tls_server(certificate, received) as url:
		error = failure(_driver(url, read_timeout=5))
	assert (type(error), error.code) == (Retryable, "tls")
	assert received == []  # the token went nowhere


def test_a_drip_is_cut_below_tls_too(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
	received: list[bytes] = []
	before = time.monotonic()
	with tls_server(certificate, received) as url:
		error = failure(_driver(url))
	assert (type(error), error.code) == (UnknownOutcome, "deadline")
	assert time.monotonic() - before < LONGEST + 2  # the server ends with the client
	assert received[0].startswith(b"POST ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
	"""A certificate for 127.0.0.1 that nobody has signed, and its key."""
	if shutil.which("openssl") is None:
		pytest.skip("makes a certificate with openssl")
	folder = tmp_path_factory.mktemp("tls")
	certificate, key = folder / "cert.pem", folder / "key.pem"
	command = (
		"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext "
		"subjectAltName=IP:127.0.0.1"
	)
	files = ["-keyout", str(key), "-out", str(certificate)]
	subprocess.run([*command.split(), *files], check=True, capture_output=True, timeout=60)
	return certificate, key


@contextmanager
def tls_server(certificate: tuple[Path, Path], received: list[bytes]) -> Iterator[str]:
	"""Takes one call over TLS and drips an answer, until the caller hangs up."""
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain(*certificate)
	with socket.create_server(("127.0.0.1", 0)) as server:
		server.settimeout(10)
		thread = threading.Thread(target=_drip, args=(server, context, received), daemon=True)
		thread.start()
		yield f"https://127.0.0.1:{server.getsockname()[1]}"
		thread.join(10)


def _drip(server: socket.socket, context: ssl.SSLContext, received: list[bytes]) -> None:
	connection, _ = server.accept()
	with connection:
		try:
			safe = context.wrap_socket(connection, server_side=True)
			received.append(safe.recv(65_536))
			safe.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
			for _ in range(400):
				safe.sendall(b"x")
				threading.Event().wait(0.05)
		except OSError:
			return


def _driver(url: str, read_timeout: float = READ_TIMEOUT) -> CloudApiDriver:
	return CloudApiDriver(
		DeviceConfig(
			"c",
			"cloud_api",
			base_url=url,
			phone_number_id="6",
			access_token="simulated-token",
			connect_timeout=max(0.5, read_timeout),
			read_timeout=read_timeout,
		)
	)


@contextmanager
def hanging_server() -> Iterator[str]:
	"""Takes every call and never answers."""
	with socket.create_server(("127.0.0.1", 0)) as server:
		yield f"http://127.0.0.1:{server.getsockname()[1]}"


def _wait_for(is_so: Any, seconds: float = 5.0) -> None:
	end = time.monotonic() + seconds
	while not is_so():
		assert time.monotonic() < end, "it never came about"
		threading.Event().wait(0.01)
