"""Something a gateway said of a number, its account or its templates: never changed, never deleted."""

from khalifa_whatsapp.jobs.notices import sentence
from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument
from khalifa_whatsapp.setup.indexes import add_indexes


class KhalifaDeviceNotice(MachineWrittenDocument):
	"""Something that a gateway said of a number, its account or its templates."""

	@property
	def notice(self) -> str:
		"""The notice in the reader's language."""
		return sentence(self.text or "", self.text_values)


def on_doctype_update() -> None:
	add_indexes("Khalifa Device Notice")
