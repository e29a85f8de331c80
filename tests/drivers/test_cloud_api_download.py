"""Customers' files: our token goes to Meta's hosts alone, and only the file that was meant comes back."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from khalifa_whatsapp.drivers.base import (
	AuthError,
	DeviceConfig,
	InboundMessage,
	Media,
	MessageRef,
	Permanent,
	RateLimited,
	Retryable,
	SendError,
)
from khalifa_whatsapp.drivers.cloud_api import CloudApiDriver
from khalifa_whatsapp.drivers.cloud_api.download import (
	MediaLocation,
	digest_of,
	fetched_from,
	location_from,
	next_address,
	trusted,
)
from khalifa_whatsapp.drivers.factory import make_driver
from khalifa_whatsapp.drivers.http import HttpClient, Reply
from simulation.simulators import CloudApiSimulator, Person
from tests.drivers import corpus
from tests.drivers.test_http import answering, listener

CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
DIGEST = hashlib.sha256(CONTENT).digest()
SAMY = Person(digits="201001234567", name="سامي")
REF = MessageRef("wamid.IN1")
META, LOCAL = "https://graph.facebook.com", "http://127.0.0.1:5000"
NOW_MS = 1_795_160_400_000


class Clock:
	ms = NOW_MS

	def __call__(self) -> int:
		return self.ms


@pytest.fixture
def clock() -> Clock:
	return Clock()


@pytest.fixture
def cloud(clock: Clock) -> Iterator[CloudApiSimulator]:
	with CloudApiSimulator(clock, stall_seconds=2) as simulator:
		yield simulator


def sent(cloud: CloudApiSimulator, mime_type: str = "image/png") -> Media:
	cloud.customer_media(SAMY, "image", CONTENT, mime_type)
	(event,) = make_driver(cloud.config()).parse(cloud.take()[0].raw)
	assert isinstance(event, InboundMessage)
	assert event.media is not None
	return event.media


def driver_of(cloud: CloudApiSimulator, **more: Any) -> CloudApiDriver:
	return CloudApiDriver(cloud.config(read_timeout=0.3, **more))


def failure(driver: CloudApiDriver, media: Media, limit: int = len(CONTENT)) -> SendError:
	with pytest.raises(SendError) as caught:
		driver.fetch_media(media, REF, limit)
	assert "simulated-token" not in str(caught.value)
	return caught.value


@pytest.mark.parametrize(
	"url",
	[
		"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=0&hash=FAKE",
		"https://scontent.fcai1-2.fna.fbcdn.net/v/x",
		"https://mmg.whatsapp.net:443/x",
		"https://GRAPH.facebook.com/x",
	],
)
def test_metas_hosts_are_trusted(url: str) -> None:
	assert trusted(url, META) == url


@pytest.mark.parametrize(
	"url",
	[
		"",
		"lookaside.fbsbx.com/x",
		"//lookaside.fbsbx.com/x",
		"http://lookaside.fbsbx.com/x",
		"ftp://lookaside.fbsbx.com/x",
		"file:///etc/passwd",
		"https://evil.example/lookaside.fbsbx.com",
		"https://lookaside.fbsbx.com.evil.example/x",
		"https://evilfbsbx.com/x",
		"https://lookaside.fbsbx.com@evil.example/x",
		"https://user:pass@lookaside.fbsbx.com/x",
		"https://evil.example\\@lookaside.fbsbx.com/x",
		"https://evil.example\\.fbsbx.com/x",
		"https://evil.example#@lookaside.fbsbx.com/x",
		"https://evil.example?.fbsbx.com",
		"https://lookaside.fbsbx.com:8443/x",
		"https://lookaside.fbsbx.com./x",
		"https://lookaside.fbsbx.com /x",
		"https://lookaside.fbsbx.com\n.evil.example/x",
		"https://lookasıde.fbsbx.com/x",
		"https://127.0.0.1/x",
		"http://127.0.0.1:5000/x",
		"https://[::1]/x",
		"https://[bad",
		"https://2130706433/x",
		"https://169.254.169.254/latest/meta-data",
		"https://" + "a" * 5000 + ".fbsbx.com/x",
	],
)
def test_nothing_else_is(url: str) -> None:
	with pytest.raises(Permanent) as caught:
		trusted(url, META)
	assert caught.value.code == "media_host"


@pytest.mark.parametrize(
	("own", "is_trusted"),
	[
		(LOCAL, True),
		(f"{LOCAL}/v26.0", True),
		("http://127.0.0.1:5001", False),  # another service of this machine
		("https://127.0.0.1:5000", False),
		("http://localhost:5000", False),
		("http://10.0.0.7:5000", False),
		("", False),
	],
)
def test_a_simulator_on_this_machine_is_trusted_and_nothing_beside_it(own: str, is_trusted: bool) -> None:
	if is_trusted:
		assert trusted(f"{LOCAL}/x", own)
	else:
		with pytest.raises(Permanent):
			trusted(f"{LOCAL}/x", own)
	with pytest.raises(Permanent):
		trusted("http://10.0.0.7:5000/x", "http://10.0.0.7:5000")


@pytest.mark.parametrize(
	("location", "target"),
	[
		("/y", "https://lookaside.fbsbx.com/y"),
		("https://scontent.fbcdn.net/z", "https://scontent.fbcdn.net/z"),
		("https://evil.example/", None),
		("//evil.example/", None),
		("http://lookaside.fbsbx.com/y", None),
		("", "https://lookaside.fbsbx.com/x"),
	],
)
def test_a_redirect_stays_with_meta(location: str, target: str | None) -> None:
	answer = Reply(302, {"location": location}, b"")
	if target is None:
		with pytest.raises(Permanent):
			next_address("https://lookaside.fbsbx.com/x", answer, META)
	else:
		assert next_address("https://lookaside.fbsbx.com/x", answer, META) == target


@pytest.mark.parametrize(
	("given", "digest"),
	[
		(DIGEST.hex(), DIGEST),
		(DIGEST.hex().upper(), DIGEST),
		(base64.b64encode(DIGEST).decode(), DIGEST),
		("", None),
		("QUJD", None),
		("no hash at all", None),
		(DIGEST.hex()[:-1], None),
		("é" * 64, None),
	],
)
def test_a_hash_comes_in_hex_or_base64(given: str, digest: bytes | None) -> None:
	assert digest_of(given) == digest


def test_a_recorded_answer_is_understood() -> None:
	location = location_from(
		Reply(200, {}, corpus.raw("cloud_api/answers", "media")), Media("880055667788"), 3
	)
	assert location == MediaLocation(
		"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=880055667788&ext=0&hash=FAKE",
		"image/jpeg",
		(hashlib.sha256(b"abc").digest(),),
	)
	file = fetched_from(
		Reply(200, {"content-type": "image/jpeg"}, b"abc"), location, Media(file_name="a.jpg")
	)
	assert (file.content, file.mime_type, file.file_name) == (b"abc", "image/jpeg", "a.jpg")
	with pytest.raises(Permanent) as caught:
		fetched_from(Reply(200, {"content-type": "image/jpeg"}, b"abd"), location, Media())
	assert caught.value.code == "media_hash"


@pytest.mark.parametrize("code", [33, 100, 131052])
def test_a_file_that_meta_has_no_more_is_gone_and_the_device_goes_on(code: int) -> None:
	with pytest.raises(Permanent) as caught:
		location_from(Reply(400, {}, json.dumps({"error": {"code": code}}).encode()), Media("1"), 9)
	assert caught.value.code == "media_gone"


def test_a_file_is_fetched_in_two_steps(cloud: CloudApiSimulator) -> None:
	media = sent(cloud)
	file = driver_of(cloud).fetch_media(media, REF, len(CONTENT))
	assert (file.content, file.mime_type) == (CONTENT, "image/png")


def test_a_mime_type_keeps_its_parameters(cloud: CloudApiSimulator) -> None:
	media = sent(cloud, "audio/ogg; codecs=opus")
	assert driver_of(cloud).fetch_media(media, REF, len(CONTENT)).mime_type == "audio/ogg; codecs=opus"


def test_the_hash_of_the_webhook_counts_too(cloud: CloudApiSimulator) -> None:
	media, driver = sent(cloud), driver_of(cloud)
	driver.fetch_media(replace(media, sha256=base64.b64encode(DIGEST).decode()), REF, len(CONTENT))
	wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
	assert failure(driver, replace(media, sha256=wrong)).code == "media_hash"


def test_a_file_that_is_too_big_is_not_even_asked_for(cloud: CloudApiSimulator) -> None:
	media = sent(cloud)
	cloud.fail_next_download("other_file")
	assert failure(driver_of(cloud), media, len(CONTENT) - 1).code == "media_size"
	# the failure was still there: no download before
	assert failure(driver_of(cloud), media).code == "media_hash"


def test_a_file_that_lies_about_its_size_is_cut_off() -> None:
	"""Here the look-up says nothing of a size, and the body does not end."""
	with listener(answering(b"200 OK\r\nContent-Type: image/png", b"x" * 200_000)) as url:
		driver = CloudApiDriver(DeviceConfig("c", "cloud_api", base_url=url, read_timeout=0.5))
		with pytest.raises(Permanent) as caught:
			driver._download(f"{url}/x", 100_000)
		assert caught.value.code == "media_size"


@pytest.mark.parametrize(
	("mode", "kind"),
	[
		("other_file", Permanent),
		("html_page", Retryable),
		("html_200", Retryable),
		("truncated", Permanent),  # whole, as HTTP goes, and not the file: its hash tells
		("500", Retryable),
		("502", Retryable),
		("read_timeout", Retryable),
		("reset", Retryable),
		("cut", Retryable),
		("drip", Retryable),
	],
)
def test_every_failure_of_a_download_has_its_kind(
	cloud: CloudApiSimulator, mode: str, kind: type[SendError]
) -> None:
	media, driver = sent(cloud), driver_of(cloud)
	cloud.fail_next_download(mode)
	assert type(failure(driver, media, 10_000)) is kind
	assert driver.fetch_media(media, REF, 10_000).content == CONTENT


def test_a_redirect_elsewhere_is_refused_and_the_token_stays_here(cloud: CloudApiSimulator) -> None:
	seen: list[bytes] = []
	with listener(lambda connection: seen.append(connection.recv(65_536))) as elsewhere:
		media = sent(cloud)
		cloud.fail_next_download(f"redirect:{elsewhere}/x")
		assert failure(driver_of(cloud), media).code == "media_host"
	assert seen == []


def test_redirects_within_the_house_are_followed_and_counted(cloud: CloudApiSimulator) -> None:
	media, driver = sent(cloud), driver_of(cloud)
	address = HttpClient().request("GET", f"{cloud.url}/{media.media_id}", token=cloud.access_token).object()
	assert address is not None
	for _ in range(2):
		cloud.fail_next_download(f"redirect:{address['url']}")
	assert driver.fetch_media(media, REF, 10_000).content == CONTENT
	for _ in range(3):
		cloud.fail_next_download(f"redirect:{address['url']}")
	assert type(failure(driver, media)) is Retryable


def test_an_address_elsewhere_is_never_asked(
	cloud: CloudApiSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
	seen: list[bytes] = []
	with listener(lambda connection: seen.append(connection.recv(65_536))) as elsewhere:
		media = sent(cloud)
		look_up = cloud.media.look_up
		monkeypatch.setattr(cloud.media, "look_up", lambda media_id, url: look_up(media_id, elsewhere))
		assert failure(driver_of(cloud), media).code == "media_host"
	assert seen == []


def test_a_file_lives_seven_days_and_its_address_five_minutes(cloud: CloudApiSimulator, clock: Clock) -> None:
	media = sent(cloud)
	client = HttpClient()
	answer = client.request("GET", f"{cloud.url}/{media.media_id}", token=cloud.access_token).object()
	assert answer is not None
	assert client.request("GET", answer["url"], token=cloud.access_token).content == CONTENT
	assert client.request("GET", answer["url"]).status == 401
	clock.ms += 300_000
	assert client.request("GET", answer["url"], token=cloud.access_token).status == 404
	driver_of(cloud).fetch_media(media, REF, 10_000)
	clock.ms += 7 * 86_400_000
	assert failure(driver_of(cloud), media).code == "media_gone"


def test_a_file_of_another_number_or_with_an_odd_id_is_no_file(cloud: CloudApiSimulator) -> None:
	media = sent(cloud)
	assert failure(driver_of(cloud), replace(media, media_id="../../me?x=")).code == "media_gone"
	assert failure(driver_of(cloud), replace(media, media_id=f"{media.media_id}?x=1")).code == "media_gone"
	assert failure(driver_of(cloud), replace(media, media_id="")).code == "media_gone"
	assert failure(driver_of(cloud, phone_number_id="1"), media).code == "media_gone"


def test_a_dead_token_is_reported_as_such(cloud: CloudApiSimulator) -> None:
	assert type(failure(driver_of(cloud, access_token="simulated-token-2"), sent(cloud))) is AuthError


def test_a_rate_limit_of_the_file_server_is_one() -> None:
	with pytest.raises(RateLimited) as caught:
		fetched_from(Reply(429, {"retry-after": "9"}, b""), MediaLocation("", "", ()), Media())
	assert caught.value.retry_after == 9
