"""Something that is wrong now: a step of the jobs that fails, or a device that needs a person.

Gone when it is right again.
"""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument


class KhalifaAlert(MachineWrittenDocument):
	"""Something that fails, until it works again."""
