"""Something that is wrong now, or was: a step of the jobs that fails, a device that needs a person, a queue
that nobody empties.
"""

from __future__ import annotations

from khalifa_whatsapp.jobs import alerts
from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument, clear_older


class KhalifaAlert(MachineWrittenDocument):
	"""Something that is wrong, until it is right again."""

	@property
	def text(self) -> str:
		"""What is wrong, in the reader's language."""
		return alerts.sentence(self.kind, self.subject, self.subject_values)

	@property
	def what_to_do(self) -> str:
		"""What to do about it, in the reader's language."""
		return alerts.advice(self.kind)

	@staticmethod
	def clear_old_logs(days: int = 30) -> None:
		"""Frappe's Log Settings: what is right again, and was told."""
		clear_older("Khalifa Alert", days, "last_ms", {"is_solved": 1, "needs_mail": 0})
