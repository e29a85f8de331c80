"""The files of a simulated Cloud API: uploaded by us or sent by customers, fetched in two steps."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import urlencode

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from khalifa_whatsapp.drivers.payload import mime_of
from simulation.simulators.cloud_api_checks import INVALID, Refused
from simulation.simulators.server import Answer, Failures, Request, failed_answer, json_answer

BAD_FILE = 131053
GONE = 100  # as Graph says of every id that it does not know, or not any more
DAY_MS = 86_400_000
CUSTOMER_FILE_MS, OWN_FILE_MS, ADDRESS_MS = 7 * DAY_MS, 30 * DAY_MS, 300_000  # how long each lives
ROUTE = ("whatsapp_business", "attachments")
MEGABYTE = 1024 * 1024
LIMITS = {  # kind → MIME types (none: any) and the most bytes
	"image": ({"image/jpeg", "image/png"}, 5 * MEGABYTE),
	"video": ({"video/mp4", "video/3gpp"}, 16 * MEGABYTE),
	"audio": ({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}, 16 * MEGABYTE),
	"document": (set(), 100 * MEGABYTE),
	"sticker": ({"image/webp"}, 500 * 1024),
}


@dataclass(frozen=True, slots=True)
class File:
	"""A file, until `gone_ms`."""

	content: bytes
	mime_type: str
	gone_ms: int


class MediaStore:
	"""Keeps the files of one number.

	`upload_failures` and `download_failures` take the common modes of `server`. A download knows three more:
	"other_file" gives other bytes, "html_page" an error page, and "redirect:https://…" leads there.
	"""

	def __init__(self, now_ms: Callable[[], int], seed: int) -> None:
		self._now_ms = now_ms
		self.files: dict[str, File] = {}
		self.upload_failures = Failures(Random(seed))
		self.download_failures = Failures(Random(seed + 1))
		self._keys: dict[str, tuple[str, int]] = {}  # of an address: file and end
		self._lock = threading.Lock()

	def keep(self, content: bytes, mime_type: str, live_ms: int = CUSTOMER_FILE_MS) -> str:
		"""Put a file on the shelf. Gives its id."""
		with self._lock:
			media_id = str(770_000_000_000 + len(self.files))
			self.files[media_id] = File(content, mime_type, self._now_ms() + live_ms)
		return media_id

	def find(self, media_id: str) -> File | None:
		"""The file, while it lives."""
		file = self.files.get(media_id)
		return file if file is not None and self._now_ms() < file.gone_ms else None

	def upload(self, request: Request) -> Answer:
		"""Take a file of ours."""
		failed = failed_answer(self.upload_failures.draw())
		if failed is not None:
			return failed
		mime, options = parse_options_header(request.headers.get("content-type", ""))
		_, form, files = FormDataParser().parse(BytesIO(request.body), mime, len(request.body), options)
		file, mime_type = files.get("file"), form.get("type", "")
		if form.get("messaging_product") != "whatsapp" or file is None:
			raise Refused(INVALID, "file is required")
		content = file.read()
		file.close()
		if not mime_type or mime_of(file.content_type or "") != mime_of(mime_type) or not content:
			raise Refused(INVALID, "Param file must be a file with its own type")
		if len(content) > max(
			(most for mimes, most in LIMITS.values() if mime_of(mime_type) in mimes), default=100 * MEGABYTE
		):
			raise Refused(BAD_FILE, "The file is too big")
		return json_answer({"id": self.keep(content, mime_type, OWN_FILE_MS)})

	def check(self, kind: str, content: dict[str, Any]) -> None:
		"""Raises `Refused` unless the file of a message is here, and is one of its kind."""
		file = self.find(str(content.get("id", "")))
		if file is None:
			raise Refused(INVALID, f"Param {kind}['id'] is not a valid media attachment ID")
		mimes, most = LIMITS[kind]
		if (mimes and mime_of(file.mime_type) not in mimes) or len(file.content) > most:
			raise Refused(BAD_FILE, "The file can't be sent as this kind of message")

	def look_up(self, media_id: str, url: str) -> Answer:
		"""What is known of a file, and an address that lives five minutes. `url`: of the simulator."""
		file = self.find(media_id)
		if file is None:
			raise Refused(GONE, "Object with this ID does not exist")
		key, end_ms = secrets.token_hex(8), self._now_ms() + ADDRESS_MS
		with self._lock:
			self._keys[key] = (media_id, end_ms)
		query = urlencode({"mid": media_id, "ext": end_ms // 1000, "hash": key})
		return json_answer(
			{
				"messaging_product": "whatsapp",
				"id": media_id,
				"mime_type": file.mime_type,
				"sha256": hashlib.sha256(file.content).hexdigest(),
				"file_size": str(len(file.content)),
				"url": f"{url}/{'/'.join(ROUTE)}/?{query}",
			}
		)

	def download(self, request: Request, has_token: bool) -> Answer:
		"""The bytes, for whoever has both address and token."""
		if not has_token:
			return Answer(401, b"<html>Log in</html>", "text/html")
		mode = self.download_failures.draw()
		if mode.startswith("redirect:"):
			return Answer(302, headers={"Location": mode.removeprefix("redirect:")})
		failed = failed_answer(mode)
		if failed is not None:
			return failed
		media_id, end_ms = self._keys.get(request.query.get("hash", ""), ("", 0))
		file = self.find(media_id)
		if file is None or media_id != request.query.get("mid") or self._now_ms() >= end_ms:
			return Answer(404, b"<html>Not found</html>", "text/html")
		if mode == "html_page":
			return Answer(200, b"<html>Sorry, something went wrong</html>", "text/html")
		return Answer(200, b"other" if mode == "other_file" else file.content, file.mime_type)
