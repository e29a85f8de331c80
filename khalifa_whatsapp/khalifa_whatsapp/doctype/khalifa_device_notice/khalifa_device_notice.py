"""Something a gateway said of a number, its account or its templates: never changed, never deleted."""

from khalifa_whatsapp.jobs.notices import sentence
from khalifa_whatsapp.khalifa_whatsapp.machine_written import (
	KEEP_KEYS_DAYS,
	MachineWrittenDocument,
	clear_older,
)
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaDeviceNotice(MachineWrittenDocument):
	"""Something that a gateway said of a number, its account or its templates."""

	@property
	def notice(self) -> str:
		"""The notice in the reader's language."""
		return sentence(self.text or "", self.text_values)

	@staticmethod
	def clear_old_logs(days: int = 180) -> None:
		"""Frappe's Log Settings: notices that managers have got."""
		notified = {"notified_ms": (">", 0)}
		clear_older("Khalifa Device Notice", days, "at_ms", notified, KEEP_KEYS_DAYS)


def on_doctype_update() -> None:
	add_indexes("Khalifa Device Notice")
