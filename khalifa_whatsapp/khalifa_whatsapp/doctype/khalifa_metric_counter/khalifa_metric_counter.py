"""A count that only grows, for the metrics: what happened, by its labels."""

from khalifa_whatsapp.khalifa_whatsapp.machine_written import MachineWrittenDocument


class KhalifaMetricCounter(MachineWrittenDocument):
	"""One counter of one metric."""
