"""The session's life at the gateway: started, waiting for a scan, connected, closed.

Answers in, meanings out.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from khalifa_whatsapp.drivers.abilities import QrCode
from khalifa_whatsapp.drivers.base import SessionState
from khalifa_whatsapp.drivers.http import Reply
from khalifa_whatsapp.drivers.payload import text_of
from khalifa_whatsapp.drivers.wppconnect.errors import read_error
from khalifa_whatsapp.drivers.wppconnect.parse import STATES

WAITS_FOR_SCAN = "QRCODE"
QR_LIFETIME = 20.0  # seconds; the first code of a session lives a minute, those after it a third
_PICTURE = re.compile(r"data:image/(?:png|jpe?g);base64,[A-Za-z0-9+/]+={0,2}")


def start_body(webhook_url: str) -> dict[str, Any]:
	"""The request that starts a session. It replaces what the gateway kept of it, so it is always whole."""
	return {"webhook": webhook_url, "waitQrCode": False}  # with true the call may hang for ever


def state_from(check: Reply, status: Reply) -> SessionState:
	"""The device's state: the browser's own answer first, the server's cached flag only for the reason."""
	if not check.is_success:
		raise read_error(check)
	status_text = text_of((status.object() or {}).get("status")) if status.is_success else ""
	if (check.object() or {}).get("status") is True:
		return SessionState("connected", status_text)
	cached = STATES.get(status_text, "disconnected")
	return SessionState("disconnected" if cached == "connected" else cached, status_text)


def started_from(reply: Reply) -> SessionState:
	"""What a start answers is the state before it: closed means that it is being opened now."""
	if not reply.is_success:
		raise read_error(reply)
	status_text = text_of((reply.object() or {}).get("status"))
	state = STATES.get(status_text, "disconnected")
	return SessionState("connecting" if state == "disconnected" else state, status_text)


def check_closed(reply: Reply) -> None:
	"""Raise unless the session is closed now.

	The gateway answers 500 when there was no browser to close, and by then has forgotten the session all the
	same.
	"""
	answer = reply.object() or {}
	was_nothing_to_close = reply.status == 500 and answer.get("status") is False
	if not reply.is_success and not was_nothing_to_close:
		raise read_error(reply)


def check_logged_out(reply: Reply) -> None:
	"""Raise unless the phone has been unlinked: only a connected session can be."""
	if not reply.is_success or (reply.object() or {}).get("status") is False:
		raise read_error(reply)


def qr_from_status(reply: Reply) -> QrCode | None:
	"""The code, only while one is waited for: the gateway goes on showing the last one after the login."""
	if not reply.is_success:
		raise read_error(reply)
	answer = reply.object() or {}
	return _code(text_of(answer.get("qrcode"))) if answer.get("status") == WAITS_FOR_SCAN else None


def waits_for_scan(reply: Reply) -> bool:
	"""Whether a status answer says that somebody has to scan a code."""
	return reply.is_success and (reply.object() or {}).get("status") == WAITS_FOR_SCAN


def qr_from_picture(reply: Reply) -> QrCode | None:
	"""The code of the route that gives a picture, or JSON when it has none."""
	if not reply.is_success:
		raise read_error(reply)
	kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
	if kind in ("image/png", "image/jpeg"):
		return _code(f"data:{kind};base64,{base64.b64encode(reply.content).decode()}")
	text = text_of((reply.object() or {}).get("qrcode"))
	return _code(text) or _code(f"data:image/png;base64,{text}")


def _code(image: str) -> QrCode | None:
	"""A picture that a page may show as it is; anything else is none."""
	return QrCode(image, lifetime_seconds=QR_LIFETIME) if _PICTURE.fullmatch(image) else None
