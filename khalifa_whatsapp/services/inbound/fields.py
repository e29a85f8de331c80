"""From what a gateway said to the fields of a row: times that can't be nonsense,
details as they are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.drivers import base

FUTURE_MS = 5 * MINUTE_MS  # a gateway's clock may be ahead of ours by so much, no more
EARLIEST_MS = 1_230_768_000_000  # 2009: there was no WhatsApp before


def clamp(sent_ms: int, received_ms: int) -> int:
	"""A gateway's time, unless it is nonsense: then our own."""
	return min(sent_ms, received_ms + FUTURE_MS) if sent_ms > EARLIEST_MS else received_ms


def packed(data: Mapping[str, Any]) -> str | None:
	"""Details as they are stored."""
	return json.dumps(data, ensure_ascii=False) if data else None


def fill(
	message: records.Message, event: base.InboundMessage | base.OutboundEcho, reply_to: str | None
) -> None:
	"""What a message says, all but its words: those may have been edited since."""
	message.content_type, message.reply_to, media = event.content_type, reply_to, event.media
	if media is not None:
		message.media_id, message.mime_type, message.file_name = (
			media.media_id,
			media.mime_type,
			media.file_name,
		)
		message.media_state = "Waiting"
	message.data = packed({**event.data, **({"is_forwarded": True} if event.is_forwarded else {})})
	if isinstance(event, base.InboundMessage):
		message.sequence = event.sequence
