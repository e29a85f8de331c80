"""What statements take and give in another form: filters of tickets, raw bodies of webhooks."""

from __future__ import annotations

import base64
from typing import Any

from khalifa_whatsapp.stores.base import TicketFilter


def filter_sql(chosen: TicketFilter) -> tuple[str, list[Any]]:
	"""The WHERE of open tickets a filter means, and its values."""
	where, values = ["status IN ('Queued', 'Open', 'Pending')"], []
	for field in ("branch", "agent", "device", "status"):
		value = getattr(chosen, field)
		if value:
			where.append(f"`{field}` = ?")
			values.append(value)
	if chosen.opened_before_ms:
		where.append("opened_ms < ?")
		values.append(chosen.opened_before_ms)
	if chosen.names:
		where.append(f"name IN ({', '.join('?' * len(chosen.names))})")
		values += chosen.names
	return " AND ".join(where), values


def pack_body(body: bytes) -> tuple[str, int]:
	"""Raw bytes as text for a text column: as they are when they are UTF-8, else base64 (flag 1)."""
	try:
		return body.decode("utf-8"), 0
	except UnicodeDecodeError:
		return base64.b64encode(body).decode("ascii"), 1


def unpack_body(body: str, is_base64: int) -> bytes:
	"""The raw bytes again."""
	return base64.b64decode(body) if is_base64 else body.encode("utf-8")
