"""Who did what: rows are added, and never changed or deleted by anybody."""

from khalifa_whatsapp.guards import refuse_change_by_hand
from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaAuditEntry(MachineWrittenDocument):
	"""One deed of a person, or of the system."""

	def validate(self) -> None:
		super().validate()
		if not self.is_new():
			self.flags.by_use_case = False  # not even a use case writes a row twice
			refuse_change_by_hand(self)

	def on_trash(self) -> None:
		self.flags.by_use_case = False
		refuse_change_by_hand(self)


def on_doctype_update() -> None:
	add_indexes("Khalifa Audit Entry")
