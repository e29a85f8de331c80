"""How a device's Chrome is started: from its settings, and never in a way that opens the login to others.

The profile *is* the login. A switch may only be one from a short list: Chrome has over a thousand, and with
some of them anybody on the network reads the chats, or another program runs in the browser's place.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.drivers.sessions.session import BrowserFailed

if TYPE_CHECKING:
	from selenium.webdriver.chrome.options import Options

HOME = "https://web.whatsapp.com/"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
WINDOW = "--window-size=1280,900"
ALWAYS = (
	"--no-first-run",
	"--no-default-browser-check",
	"--disable-extensions",
	"--disable-dev-shm-usage",
	"--mute-audio",
	"--password-store=basic",
	WINDOW,
	# a hidden tab must go on receiving
	"--disable-background-timer-throttling",
	"--disable-renderer-backgrounding",
	"--disable-backgrounding-occluded-windows",
)
# Switches that people may add, and what their values look like; "" takes none.
ALLOWED: Mapping[str, str] = {
	"--no-sandbox": "",  # only inside a container or as root, where Chrome has no sandbox of its own
	"--no-zygote": "",
	"--disable-gpu": "",
	"--disable-software-rasterizer": "",
	"--hide-scrollbars": "",
	"--disable-notifications": "",
	"--start-maximized": "",
	"--window-size": r"\d{3,4},\d{3,4}",
	"--force-device-scale-factor": r"[0-4](\.\d+)?",
	"--renderer-process-limit": r"\d{1,2}",
	"--disk-cache-size": r"\d{1,10}",
	"--js-flags": r"--max-old-space-size=\d{2,5}",
	"--blink-settings": "imagesEnabled=(true|false)",
	"--password-store": "basic",
	"--ozone-platform": "(x11|wayland|headless)",
	"--proxy-server": r"(http|socks5)://(127\.0\.0\.1|localhost):\d{1,5}",
	**{switch.partition("=")[0]: "" for switch in ALWAYS if "=" not in switch},
}
BROWSERS = frozenset(
	{"chromium", "chromium-browser", "chrome", "google-chrome", "google-chrome-stable", "headless_shell"}
)
DRIVERS = frozenset({"chromedriver", "chromium.chromedriver"})
MESSAGES = {
	"switch": "This browser option is not allowed: {0}. Remove it.",
	"url": "The page of the browser must begin with https://.",
	"language": "The browser's language is two letters, such as ar or en-US.",
	"user_agent": "The user agent holds characters that no browser sends.",
	"binary": "The path of Chrome must be a full path that ends in a known name, such as /usr/bin/chromium.",
	"driver": "The path of Chromedriver must be a full path that ends in chromedriver.",
	"missing": "Chrome was not found. Install it, or set its path on the device.",
}


class BadBrowserSetting(BrowserFailed):
	"""A browser setting of the device can't be used.

	`code` is a key of `MESSAGES`; the text says what to mend.
	"""

	def __init__(self, code: str, value: str = "") -> None:
		super().__init__(MESSAGES[code].format(value))
		self.code = code
		self.value = value


def check_settings(browser: Mapping[str, Any]) -> None:
	"""Raise `BadBrowserSetting` unless all settings of a device's browser are safe. Needs no selenium."""
	home_of(browser)
	switches_of(browser)
	_match(browser, "language", r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
	_match(browser, "user_agent", r"[\x20-\x7e]{10,400}")
	_check_program(browser, "binary", BROWSERS)
	_check_program(browser, "driver", DRIVERS)


def home_of(browser: Mapping[str, Any]) -> str:
	"""The page's address, with its slash: WhatsApp's own, or a stand-in on this machine."""
	url = _text(browser, "url") or HOME
	parts = urlsplit(url)
	is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
	if not (is_safe and parts.hostname) or parts.username or parts.query or parts.fragment:
		raise BadBrowserSetting("url")
	return url if url.endswith("/") else f"{url}/"


def switches_of(browser: Mapping[str, Any]) -> list[str]:
	"""The switches that people added, one per line."""
	lines = [line.strip() for line in _text(browser, "options").splitlines()]
	for line in filter(None, lines):
		_check_switch(line)
	return [line for line in lines if line]


def make_options(config: DeviceConfig, profile: Path, tags: object = None) -> Options:
	"""Options for Chrome on this profile, which is made for its owner alone. Raises `BadBrowserSetting`.

	`tags` mark the processes: they go into chromedriver's environment, which Chrome inherits, and not on a
	command line.
	"""
	from selenium.webdriver.chrome.options import Options  # only who runs browsers has it

	browser = config.browser
	check_settings(browser)
	make_private(profile)
	options = Options()
	options.binary_location = _binary(browser)
	for switch in _arguments(browser, profile):
		options.add_argument(switch)
	options.page_load_strategy = "eager"  # the app goes on loading for as long as it lives
	options.set_capability("unhandledPromptBehavior", "dismiss")
	options.add_experimental_option("prefs", _prefs(browser))
	return options


def make_private(folder: Path) -> None:
	"""A folder that nobody else may look into: it holds the login."""
	folder.mkdir(mode=0o700, parents=True, exist_ok=True)
	folder.chmod(0o700)


def _arguments(browser: Mapping[str, Any], profile: Path) -> list[str]:
	own = switches_of(browser)
	named = {switch.partition("=")[0] for switch in own}
	switches = [switch for switch in ALWAYS if switch.partition("=")[0] not in named]
	if browser.get("is_headless", True) not in (0, "0", False):
		switches.append("--headless=new")
	if _text(browser, "user_agent"):
		switches.append(f"--user-agent={_text(browser, 'user_agent')}")
	return [*switches, f"--lang={_language(browser)}", *own, f"--user-data-dir={profile}"]


def _prefs(browser: Mapping[str, Any]) -> dict[str, Any]:
	"""The page's language; no downloads by themselves, no saved passwords,
	no questions about notifications.
	"""
	return {
		"intl.accept_languages": _language(browser),
		"credentials_enable_service": False,
		"profile.password_manager_enabled": False,
		"profile.default_content_setting_values.notifications": 2,
		"profile.default_content_setting_values.automatic_downloads": 2,
	}


def _language(browser: Mapping[str, Any]) -> str:
	return _text(browser, "language") or "ar"


def _binary(browser: Mapping[str, Any]) -> str:
	path = _text(browser, "binary") or next(filter(None, map(shutil.which, sorted(BROWSERS))), None)
	if not path or not os.access(path, os.X_OK):
		raise BadBrowserSetting("missing")
	return path


def _check_switch(line: str) -> None:
	switch, has_value, value = line.partition("=")
	pattern = ALLOWED.get(switch)
	is_known = pattern is not None and (bool(re.fullmatch(pattern, value)) if has_value else not pattern)
	if not is_known:
		shown = re.fullmatch(r"-{1,2}[A-Za-z0-9-]{1,60}", switch)  # anything else may be a mistaken paste
		raise BadBrowserSetting("switch", switch if shown else "…")


def _check_program(browser: Mapping[str, Any], key: str, names: frozenset[str]) -> None:
	path = _text(browser, key)
	if path and (not os.path.isabs(path) or ".." in Path(path).parts or Path(path).name not in names):
		raise BadBrowserSetting(key)


def _match(browser: Mapping[str, Any], key: str, pattern: str) -> None:
	value = _text(browser, key)
	if value and not re.fullmatch(pattern, value):
		raise BadBrowserSetting(key)


def _text(browser: Mapping[str, Any], key: str) -> str:
	return str(browser.get(key) or "").strip()
