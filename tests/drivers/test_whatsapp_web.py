"""WhatsApp Web without a browser: which settings may start Chrome, what stamps and deliveries say,
and the places looked at.
"""

from __future__ import annotations

import contextlib
import json
import re
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.drivers.base import (
	DeviceConfig,
	InboundMessage,
	MessageStatus,
	OutboundEcho,
	PayloadError,
)
from khalifa_whatsapp.drivers.whatsapp_web import webhook_events
from khalifa_whatsapp.drivers.whatsapp_web.options import (
	ALLOWED,
	ALWAYS,
	MESSAGES,
	BadBrowserSetting,
	check_settings,
	home_of,
	make_options,
	make_private,
)
from khalifa_whatsapp.drivers.whatsapp_web.page import Bubble
from khalifa_whatsapp.drivers.whatsapp_web.selectors import CSS, PLACES, XPATH
from khalifa_whatsapp.drivers.whatsapp_web.stamps import author_of, moment_ms

SAMY = Identity("phone", "+201001234567")
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=timezone.utc)
NOW_MS = round(NOW.timestamp() * 1000)

# -- how Chrome may be started


@pytest.mark.parametrize(
	"line",
	[
		"--remote-debugging-address=0.0.0.0",
		"--remote-debugging-port=9222",
		"--remote-debugging-pipe",
		"--disable-web-security",
		"--user-data-dir=/tmp/x",
		"--profile-directory=Default",
		"--load-extension=/tmp/x",
		"--proxy-server=http://10.0.0.1:80",
		"--proxy-server=http://127.0.0.1:80@evil.example:80",
		"--proxy-pac-url=http://evil.example/",
		"--ignore-certificate-errors",
		"--allow-running-insecure-content",
		"--renderer-cmd-prefix=/bin/sh -c x",
		"--utility-cmd-prefix=x",
		"--gpu-launcher=x",
		"--host-resolver-rules=MAP * 127.0.0.1",
		"--js-flags=--allow-natives-syntax",
		"--disable-features=IsolateOrigins",
		"--no-sandbox=--remote-debugging-port=1",
		"--window-size",
		"--window-size=1x1",
		"--headless=old",
		"--user-agent=x",
		"-no-sandbox",
		"no-sandbox",
		"https://evil.example/",
		"--NO-SANDBOX",
		"--disable-gpu --no-sandbox",
		"--disable-gpu\t--x",
		"--",
	],
)
def test_an_option_that_is_not_known_to_be_harmless_is_refused(line):
	with pytest.raises(BadBrowserSetting) as caught:
		check_settings({"options": f"--disable-gpu\n{line}\n"})
	assert caught.value.code == "switch"
	assert "evil" not in str(caught.value)


def test_harmless_options_are_taken_and_replace_our_own(tmp_path):
	pytest.importorskip("selenium")
	browser = {
		"options": "--no-sandbox\n\n --window-size=800,600 \n--proxy-server=socks5://127.0.0.1:9050",
		"is_headless": 0,
		"language": "ar",
		"user_agent": "Mozilla/5.0 (X11)",
		"binary": _browser(tmp_path),
	}
	made = make_options(DeviceConfig("d", "whatsapp_web", browser=browser), tmp_path / "profile", None)
	assert [one for one in made.arguments if one.startswith("--window-size")] == ["--window-size=800,600"]
	assert f"--user-data-dir={tmp_path / 'profile'}" == made.arguments[-1]
	assert {"--no-sandbox", "--lang=ar", "--user-agent=Mozilla/5.0 (X11)"} <= set(made.arguments)
	assert not any(one.startswith("--headless") for one in made.arguments)
	assert stat.S_IMODE((tmp_path / "profile").stat().st_mode) == 0o700


def test_a_profile_that_others_could_read_is_closed(tmp_path):
	folder = tmp_path / "open"
	folder.mkdir(mode=0o755)
	make_private(folder)
	assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def _browser(folder):
	path = folder / "chromium"
	path.write_text("#!/bin/sh\n")
	path.chmod(0o755)
	return str(path)


def test_every_switch_of_ours_would_be_allowed():
	check_settings({"options": "\n".join(ALWAYS)})
	assert "--user-data-dir" not in ALLOWED
	assert not any("remote" in switch or "extension=" in switch for switch in ALLOWED)


@pytest.mark.parametrize(
	("key", "value"),
	[
		("url", "http://web.whatsapp.com/"),
		("url", "http://127.0.0.1.evil.example/"),
		("url", "javascript:alert(1)"),
		("url", "file:///etc/passwd"),
		("url", "https://user:word@web.whatsapp.com/"),
		("url", "https:///"),
		("url", "chrome://settings"),
		("language", "ar --no-sandbox"),
		("language", "../x"),
		("user_agent", "x\n--no-sandbox long enough"),
		("user_agent", "متصفح طويل"),
		("binary", "/bin/sh"),
		("binary", "chromium"),
		("binary", "/tmp/../bin/chromium"),
		("binary", "/usr/bin/chromium --x"),
		("driver", "/bin/sh"),
		("driver", "./chromedriver"),
	],
)
def test_a_setting_that_is_not_what_it_says_is_refused(key, value):
	with pytest.raises(BadBrowserSetting) as caught:
		check_settings({key: value})
	assert caught.value.code == key
	assert str(caught.value) == MESSAGES[key]


def test_an_empty_device_shows_whatsapp_and_a_stand_in_may_be_on_this_machine():
	check_settings({})
	assert home_of({}) == "https://web.whatsapp.com/"
	assert home_of({"url": "http://127.0.0.1:8080"}) == "http://127.0.0.1:8080/"


# -- when it was said


@pytest.mark.parametrize(
	"stamp",
	[
		"[14:30, 20/11/2026] Samy: ",
		"[14:30, 11/20/2026] Samy: ",
		"[2:30 PM, 11/20/2026] Samy: ",
		"[14:30, 2026-11-20] Samy: ",
		"[14:30, 20.11.26] Samy: ",
		"[\u200f2:30 م، 20\u200f/11\u200f/2026] سامي: ",
		"[٢:٣٠ م، ٢٠\u200f/١١\u200f/٢٠٢٦] سامي: ",
		"[2:30 p.m., 20/11/2026] Samy: ",
		"[14:30:09, 20/11/2026] Samy: ",
	],
)
def test_a_stamp_of_today_is_read_in_any_order_and_digits(stamp):
	wanted = datetime(2026, 11, 20, 14, 30, tzinfo=timezone.utc)
	assert moment_ms(stamp, NOW_MS, 0) == round(wanted.timestamp() * 1000)
	assert author_of(stamp) in ("Samy", "سامي")


@pytest.mark.parametrize(
	"stamp",
	[
		"",
		"[]",
		"[Samy]: ",
		"[14:30, 20/11/2025] Samy: ",
		"[14:30, 20/11/2027] Samy: ",
		"[99:99, 20/11/2026] S: ",
		"[14:30, 32/13/2026] S: ",
	],
)
def test_a_stamp_that_can_not_be_of_these_days_says_nothing(stamp):
	assert moment_ms(stamp, NOW_MS, 0) == 0


def test_the_pages_own_zone_counts():
	assert moment_ms("[16:30, 20/11/2026] S: ", NOW_MS, -120) == NOW_MS - 30 * 60_000


@given(st.text(max_size=60), st.integers(-840, 840))
def test_whatever_a_stamp_holds_it_is_recent_or_nothing(stamp, minutes):
	moment = moment_ms(f"[{stamp}] x", NOW_MS, minutes)
	assert moment == 0 or NOW_MS - 7 * 86_400_000 <= moment <= NOW_MS + 120_000


@given(st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=6), NOW.replace(tzinfo=None)))
def test_every_minute_of_the_last_days_is_read_back(moment):
	exact = moment.replace(second=0, microsecond=0)
	stamp = f"[{moment.hour}:{moment.minute:02}, {moment.day}/{moment.month}/{moment.year}] S: "
	assert moment_ms(stamp, NOW_MS, 0) == round(exact.replace(tzinfo=timezone.utc).timestamp() * 1000)


# -- raw deliveries


def bubble(**more):
	usual = {
		"id": "false_201001234567@c.us_3A01",
		"is_own": False,
		"text": "أهلاً 😀",
		"has_text": True,
		"tick": "",
		"media": "",
		"stamp": "[14:30, 20/11/2026] Samy: ",
	}
	return Bubble(**{**usual, **more})


def events(*bubbles, title="+20 100 123 4567"):
	raws = webhook_events.Reader("shop", [SAMY], title, NOW_MS, 0).webhook_events(bubbles)
	return [event for raw in raws for event in webhook_events.parse(raw, "shop")]


def test_a_customers_bubble_becomes_a_message():
	(event,) = events(bubble())
	assert isinstance(event, InboundMessage)
	assert (event.ref.gateway_id, event.ref.scope) == ("3A01", "in|201001234567@c.us")
	assert (event.sender, event.body, event.profile_name) == ((SAMY,), "أهلاً 😀", "Samy")
	assert event.sent_ms == NOW_MS - 30 * 60_000


def test_a_saved_name_counts_more_than_the_stamps():
	(event,) = events(bubble(), title="سامي الصيدلي")
	assert event.profile_name == "سامي الصيدلي"


def test_ours_is_reported_once_it_left_and_how_far_it_got():
	own = {"id": "true_201001234567@c.us_3EB0", "is_own": True}
	assert events(bubble(**own, tick="clock"), bubble(**own)) == []
	(sent,) = events(bubble(**own, tick="sent"))
	assert isinstance(sent, OutboundEcho)
	echo, read = events(bubble(**own, tick="read"))
	assert isinstance(read, MessageStatus)
	assert (echo.ref, read.status) == (read.ref, "read")
	(failed,) = events(bubble(**own, tick="failed"))
	assert (failed.status, failed.error_kind) == ("failed", "permanent")


def test_the_same_bubble_gives_the_same_bytes_later():
	first = webhook_events.Reader("shop", [SAMY], "x", NOW_MS, 0).webhook_events([bubble()])
	assert first == webhook_events.Reader("shop", [SAMY], "x", NOW_MS + 86_400_000, 0).webhook_events(
		[bubble()]
	)


def test_a_bubble_without_an_id_is_left_out():
	assert events(bubble(id="")) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_a_payload_error(raw):
	with contextlib.suppress(PayloadError):
		assert webhook_events.parse(raw, "shop")


@given(
	st.dictionaries(
		st.sampled_from(["device", "type", "id", "people", "text", "at_ms", "status", "kind", "name"]),
		st.one_of(
			st.none(),
			st.integers(),
			st.text(max_size=9),
			st.sampled_from(["shop", "message", "own", "status"]),
			st.lists(st.text(max_size=9), max_size=3),
		),
	)
)
def test_any_fields_are_events_or_a_payload_error(payload):
	with contextlib.suppress(PayloadError):
		assert len(webhook_events.parse(json.dumps(payload).encode(), "shop")) == 1


# -- where things are


@pytest.mark.parametrize("name", PLACES)
def test_every_place_is_a_list_of_ways_to_find_it(name):
	assert PLACES[name]
	assert all(by in (CSS, XPATH) and value.strip() for by, value in PLACES[name])
	assert len(set(PLACES[name])) == len(PLACES[name])


def test_the_pages_script_knows_every_place_it_asks_for():
	script = Path(webhook_events.__file__).with_name("page.js").read_text(encoding="utf-8")
	asked = set(re.findall(r"\b(?:all|one|has|box)\(\"(\w+)\"", script))
	assert asked
	assert asked <= set(PLACES)
