"""A verified webhook call, kept byte for byte until it is applied and for a while after."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import (
	KEEP_KEYS_DAYS,
	MachineWrittenDocument,
	clear_older,
)
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaWebhookEvent(MachineWrittenDocument):
	"""One call of a gateway, as it came."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Frappe's Log Settings: calls that were taken in. What waits or was given up stays."""
		done = {"status": ("in", ("Done", "Ignored"))}
		clear_older("Khalifa Webhook Event", days, "received_ms", done, KEEP_KEYS_DAYS)


def on_doctype_update() -> None:
	add_indexes("Khalifa Webhook Event")
