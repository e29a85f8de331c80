"""The worker's fetch of the files that customers sent: private files of their messages."""

from __future__ import annotations

import errno
import time

import frappe
from frappe.core.doctype.file.exceptions import AttachmentLimitReached

from khalifa_whatsapp.access.stored_files import keep
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.file_names import named
from khalifa_whatsapp.core.records import Message
from khalifa_whatsapp.drivers.abilities import FetchedMedia
from khalifa_whatsapp.drivers.base import AuthError, MessageDriver, Permanent, SendError
from khalifa_whatsapp.jobs.alerts import alert_managers, clear_alerts
from khalifa_whatsapp.jobs.steps import job
from khalifa_whatsapp.jobs.wake import allow_next_wake
from khalifa_whatsapp.services import media
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import StoreUnavailable

DEVICE = "WhatsApp Device"
SECONDS = 120
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@job("media")
def run(device: str) -> dict[str, int]:
	"""Fetch what waits. Files of a device that lives in a browser are fetched by the process that owns it."""
	site_device = get_device(device)
	if (
		site_device is None
		or site_device.driver.capabilities.has_browser
		or site_device.driver.config.has_lost_login
	):
		return {}
	allow_next_wake("media", device)
	total, stop = media.Fetched(), time.monotonic() + SECONDS
	try:
		while (left := stop - time.monotonic()) > 0:
			fetched = fetch(site_device.driver, left)
			total.stored, total.failed, total.later = (
				total.stored + fetched.stored,
				total.failed + fetched.failed,
				total.later + fetched.later,
			)
			if not fetched.stored or fetched.stopped_by is not None:
				break
	except StoreUnavailable:
		pass
	return {"stored": total.stored, "failed": total.failed, "later": total.later}


def fetch(driver: MessageDriver, seconds: float) -> media.Fetched:
	"""Fetch some files; what people should know of it is told."""
	fetched = media.fetch(on_site(), driver, now_ms, save_file, seconds)
	for fault in fetched.faults:
		frappe.log_error(title="Khalifa WhatsApp: a file could not be stored", message=fault)
	_note_problem(driver.config.name, fetched)  # type: ignore[attr-defined]
	return fetched


def _note_problem(device: str, fetched: media.Fetched) -> None:
	"""Write down on the device why no file comes, and call managers once; what comes again ends it."""
	is_ours = isinstance(fetched.stopped_by, AuthError | media.OurFault)
	problem = (
		fetched.stopped_by.text[: media.MAX_ERROR] if fetched.stopped_by is not None and is_ours else None
	)
	if not problem and not fetched.stored:
		return
	before = frappe.db.get_value(DEVICE, device, "files_problem") or None
	if before != problem:
		frappe.db.set_value(DEVICE, device, "files_problem", problem, update_modified=False)
		frappe.db.commit()
		if before:
			clear_alerts(device, before)  # should it come back, it is news
	if problem:
		alert_managers(device, reason=problem)


def save_file(message: Message, fetched: FetchedMedia) -> str:
	"""Keep the bytes, as they are, as a private file of the message; its address.

	What a site refuses is said in words.
	"""
	name = named(message.file_name or fetched.file_name, fetched.mime_type, message.name)
	try:
		return keep(fetched.content, name, Message.DOCTYPE, message.name).file_url
	except AttachmentLimitReached as error:
		raise Permanent(media.TOO_MANY) from error
	except frappe.ValidationError as error:  # of Frappe, or of another app
		raise Permanent(media.REFUSED_HERE) from error
	except OSError as error:
		problem = _problem_of(error)
		if problem is None:
			raise
		raise problem from error


def _problem_of(error: OSError) -> SendError | None:
	if error.errno in FULL:
		return media.OurFault(media.DISK_FULL)
	if error.errno in CLOSED:
		return media.OurFault(media.DISK_CLOSED)
	return None
