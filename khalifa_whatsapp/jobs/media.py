"""The worker's fetch of the files that customers sent: private files of their messages."""

from __future__ import annotations

import mimetypes
import re

import frappe
from PIL import UnidentifiedImageError

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.records import Message
from khalifa_whatsapp.drivers.abilities import FetchedMedia
from khalifa_whatsapp.jobs.wake import allow_next_wake
from khalifa_whatsapp.services import media
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import StoreUnavailable

MAX_NAME = 100
_ODD = re.compile(r"[^\w.\- ]+")


def run(device: str) -> dict[str, int]:
	"""Fetch what waits. Files of a device that lives in a browser are fetched by the process that owns it."""
	found = get_device(device)
	if found is None or found.driver.capabilities.has_browser:
		return {}
	allow_next_wake("media", device)
	try:
		fetched = media.fetch(on_site(), found.driver, now_ms, save_file)
	except StoreUnavailable:
		return {}
	return {"stored": fetched.stored, "failed": fetched.failed, "later": fetched.later}


def save_file(message: Message, fetched: FetchedMedia) -> str:
	"""Keep the bytes as a private file of the message; its address.

	Frappe opens pictures to take out where they were made. One that it can't open is kept as a plain file.
	"""
	name = safe_file_name(message, fetched)
	try:
		return _insert(message, name, fetched.content)
	except UnidentifiedImageError:
		frappe.db.rollback()
		return _insert(message, f"{name}.bin", fetched.content)


def _insert(message: Message, name: str, content: bytes) -> str:
	doc = frappe.get_doc(
		doctype="File", file_name=name, is_private=1, content=content, attached_to_doctype=Message.DOCTYPE,
		attached_to_name=message.name,
	)  # fmt: skip
	doc.flags.ignore_permissions = True
	doc.insert()
	frappe.db.commit()
	return doc.file_url


def safe_file_name(message: Message, fetched: FetchedMedia) -> str:
	"""The customer's own name for it without anything odd, or the message's; the ending is that of its kind."""
	ending = mimetypes.guess_extension(fetched.mime_type.split(";")[0].strip()) or ".bin"
	given = _ODD.sub("_", (message.file_name or fetched.file_name or "").rsplit(".", 1)[0]).strip(" ._")
	return f"{given[:MAX_NAME] or message.name}{ending}"
