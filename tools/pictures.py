"""Pictures of pages from a site with demo data: those that our documents show, or every page in every dress.

	python tools/pictures.py --site demo.localhost --port 8000 --manager LOGIN --agent LOGIN --password-file
	FILE

Fill the site first: bench --site demo.localhost khalifa-demo. The site must answer on that port of this
machine. Needs selenium, Pillow, Chromium and its driver. A page may become eight files,
PAGE-LANGUAGE-SIZE-THEME.webp; those that a document shows are made anew in docs/images, and with `--into
FOLDER` all are made there (`--only inbox tickets`: of these pages).
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "images"
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
LANGUAGES, THEMES = ("ar", "en"), ("Light", "Dark")
SWITCHES = (
	"--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
)
COLOURS = 128  # of a picture's palette: a quarter of the bytes, the same to the eye
WAIT = 60  # seconds that a page may take
READY = """return Boolean(window.frappe?.boot && (frappe.get_route() || []).length
	&& !frappe.request?.ajax_count
	&& !document.querySelector('.page-card-loading, .freeze-message-container:not(:empty)'))"""
LOGIN = """const done = arguments[2]; fetch('/api/method/login', {method: 'POST', headers: {'Content-Type':
	'application/x-www-form-urlencoded'}, body: new URLSearchParams({usr: arguments[0], pwd: arguments[1]})})
	.then((answer) => done(answer.status))"""
DRESS = """const done = arguments[2]; frappe.xcall('frappe.client.set_value', {doctype: 'User',
	name: frappe.session.user,
	fieldname: {language: arguments[0], desk_theme: arguments[1]}})
	.then(() => done(1), (error) => done(String(error)))"""
OPEN = """const done = arguments[2]; frappe.db.get_list(arguments[0], {filters: arguments[1], limit: 1,
	order_by: 'creation desc'})
	.then(([row]) => row
		? frappe.set_route('Form', arguments[0], row.name).then(() => done(row.name)) : done(''))"""
SEEN = "return Boolean([...document.querySelectorAll(arguments[0])].some((one) => one.offsetParent))"
OPEN_FIRST = """setTimeout(() => document.querySelector('.kin-line').click(), 1000)"""
REPORTS = (
	"Team Overview",
	"Agent KPI",
	"Delayed Tickets Now",
	"Delay Events",
	"Response Times",
	"Ticket Volume",
	"Delivery by Device",
	"Queue and Presence",
	"Satisfaction",
	"Message Cost",
	"Campaign Results",
)


class Page(NamedTuple):
	"""A page: where it is, or which record's form; what to do there before the picture; who looks."""

	name: str
	path: str = ""
	doctype: str = ""
	filters: Mapping[str, Any] = MappingProxyType({})
	steps: tuple[str, ...] = ()
	is_agents: bool = False
	ready: str = ""  # what must be seen, where «nothing more is asked for» comes too early


class Picture(NamedTuple):
	"""A page in one of its eight dresses."""

	page: Page
	language: str
	size: str
	theme: str

	@property
	def file(self) -> str:
		return f"{self.page.name}-{self.language}-{self.size}-{self.theme.lower()}.webp"


PAGES = (
	Page("inbox", "/app/khalifa-inbox"),
	Page(
		"conversation",
		"/app/khalifa-inbox",
		steps=("document.querySelector('.kin-tab[data-view=closed]').click()", OPEN_FIRST),
	),
	Page("workspace", "/app/whatsapp"),
	Page("workspace-agents", "/app/whatsapp-desk", is_agents=True),
	Page("tickets", "/app/khalifa-ticket"),
	Page("ticket", doctype="Khalifa Ticket", filters={"status": "Closed"}),
	Page("customers", "/app/khalifa-customer"),
	Page("customer", doctype="Khalifa Customer"),
	Page("agents", "/app/khalifa-agent"),
	Page("agent", doctype="Khalifa Agent", filters={"enabled": 1}),
	Page("branch", doctype="Khalifa Branch"),
	Page("message", doctype="Khalifa Message", filters={"direction": "Outgoing"}),
	Page("delay", doctype="Khalifa Delay Event", filters={"kind": "Agent"}),
	Page("close-batch", doctype="Khalifa Close Batch"),
	Page("kpi", doctype="Khalifa Agent KPI", filters={"period": "Monthly"}),
	Page("settings", "/app/khalifa-settings"),
	Page("device-form", doctype="WhatsApp Device"),
	Page("campaign", doctype="Khalifa Campaign"),
	Page("auto-replies", "/app/khalifa-auto-reply"),
	Page("template", doctype="Khalifa Provider Template", filters={"status": "APPROVED"}),
	*(
		Page(
			"report-" + name.lower().replace(" ", "-"),
			f"/app/query-report/WhatsApp {name}",
			ready=".datatable .dt-row",
		)
		for name in REPORTS
	),
)


def main() -> int:
	"""Take the pictures that were asked for; names of pages that had nothing to show, if any."""
	options = _arguments()
	password = Path(options.password_file).read_text(encoding="utf-8").strip()
	pictures = list(wanted(options.only, None if options.into else shown()))
	empty: set[str] = set()
	for is_agents, size in product((False, True), SIZES):
		theirs = [one for one in pictures if (one.page.is_agents, one.size) == (is_agents, size)]
		if theirs:
			with _browser(options.site, size) as browser:
				_sign_in(browser, options, options.agent if is_agents else options.manager, password)
				empty |= set(_take(browser, options, theirs))
	print(f"nothing to show: {', '.join(sorted(empty)) or 'none'}")
	return 1 if empty else 0


def shown() -> set[str]:
	"""The files that a document shows."""
	documents = (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
	return {
		name
		for path in documents
		for name in re.findall(r"images/([\w.-]+)", path.read_text(encoding="utf-8"))
	}


def wanted(pages: Collection[str] | None, names: set[str] | None) -> Iterator[Picture]:
	"""The pictures of these pages with these names; None is all of them."""
	for page, language, size, theme in product(PAGES, LANGUAGES, SIZES, THEMES):
		picture = Picture(page, language, size, theme)
		if (not pages or page.name in pages) and (names is None or picture.file in names):
			yield picture


def _arguments() -> argparse.Namespace:
	parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
	for name in ("site", "manager", "agent", "password-file"):
		parser.add_argument(f"--{name}", required=True)
	parser.add_argument("--port", type=int, default=8000)
	parser.add_argument("--only", nargs="*", help="names of pages; all without it")
	parser.add_argument(
		"--into", type=Path, help="a folder for the pictures of every page, also those that no document shows"
	)
	return parser.parse_args()


@contextmanager
def _browser(site: str, size: str) -> Iterator[webdriver.Chrome]:
	width, height = SIZES[size]
	options = webdriver.ChromeOptions()
	options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
	for switch in [
		*SWITCHES.split(),
		f"--window-size={width},{height}",
		f"--host-resolver-rules=MAP {site} 127.0.0.1",
	]:
		options.add_argument(switch)
	if size == "phone":
		metrics = {"width": width, "height": height, "pixelRatio": 1, "mobile": True, "touch": True}
		options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
	browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
	browser.set_script_timeout(WAIT)
	try:
		yield browser
	finally:
		browser.quit()


def _sign_in(browser: webdriver.Chrome, options: argparse.Namespace, user: str, password: str) -> None:
	browser.get(f"http://{options.site}:{options.port}/login")
	if browser.execute_async_script(LOGIN, user, password) != 200:
		sys.exit(f"{user} can't sign in.")


def _take(browser: webdriver.Chrome, options: argparse.Namespace, pictures: list[Picture]) -> Iterator[str]:
	address = f"http://{options.site}:{options.port}"
	for language, theme in product(LANGUAGES, THEMES):
		dressed = [one for one in pictures if (one.language, one.theme) == (language, theme)]
		if dressed:
			_open(browser, f"{address}/app/khalifa-inbox")
			browser.execute_async_script(DRESS, language, theme)
		for picture in dressed:
			if not _show(browser, address, picture.page):
				yield picture.page.name
				continue
			_save(browser, (options.into or OUT) / picture.file)


def _show(browser: webdriver.Chrome, address: str, page: Page) -> bool:
	"""Go there; whether there was anything."""
	_open(browser, address + (page.path or "/app/khalifa-inbox"))
	if page.doctype and not browser.execute_async_script(OPEN, page.doctype, dict(page.filters)):
		return False
	if page.ready:
		WebDriverWait(browser, WAIT).until(lambda it: it.execute_script(SEEN, page.ready))
	for step in page.steps:
		browser.execute_script(step)
	_settle(browser)
	return True


def _open(browser: webdriver.Chrome, url: str) -> None:
	browser.get(url)
	_settle(browser)


def _settle(browser: webdriver.Chrome) -> None:
	"""Wait for the answers, then for what moves: charts draw themselves slowly."""
	WebDriverWait(browser, WAIT).until(lambda it: it.execute_script(READY))
	time.sleep(1.2)
	WebDriverWait(browser, WAIT).until(lambda it: it.execute_script(READY))


def _save(browser: webdriver.Chrome, path: Path) -> None:
	picture = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
	path.parent.mkdir(parents=True, exist_ok=True)
	picture.quantize(COLOURS, dither=Image.Dither.NONE).save(
		path, "WEBP", lossless=True, quality=100, method=6
	)


if __name__ == "__main__":
	sys.exit(main())
