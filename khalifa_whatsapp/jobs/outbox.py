"""The worker's drain of one device's outgoing messages."""

from __future__ import annotations

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.jobs.wake import allow_next_wake
from khalifa_whatsapp.services import outbox
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import StoreUnavailable

SECONDS = 60


def run(device: str) -> dict[str, int]:
	"""Send what is due; a paused device sends nothing."""
	found = get_device(device)
	if found is None or found.is_paused:
		return {}
	allow_next_wake("outbox", device)
	try:
		sent = outbox.drain(on_site(), found.driver, now_ms, SECONDS)
	except StoreUnavailable:
		return {}
	return {"sent": sent.sent, "retried": sent.retried, "failed": sent.failed, "unknown": sent.unknown}
