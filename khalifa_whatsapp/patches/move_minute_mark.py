"""The moment of the minute job is no default of the whole site any more: its old row goes."""

from __future__ import annotations

from khalifa_whatsapp.jobs import minute_mark


def execute() -> None:
	"""Delete it, and begin the new one as if the job had just run; a second run changes nothing of note."""
	minute_mark.delete("__default")
	minute_mark.write()
