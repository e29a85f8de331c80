"""Runs of «close all», as rows: see `core.records`, by which they are named everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(slots=True)
class CloseBatch:
	"""One run of «close all»: what was asked, how far it is, how it ended."""

	DOCTYPE: ClassVar[str] = "Khalifa Close Batch"
	name: str
	reason: str
	filters: str  # JSON
	requested_by: str
	requested_by_name: str
	requested_ms: int
	status: str = "Running"  # Running Done Undoing Undone
	total: int = 0
	closed: int = 0
	skipped: int = 0
	undone: int = 0


@dataclass(slots=True)
class CloseBatchItem:
	"""One ticket of a batch: its version when the manager pressed the button, and what became of it."""

	DOCTYPE: ClassVar[str] = "Khalifa Close Batch Item"
	name: str
	batch: str
	ticket: str
	version: int
	result: str = "Waiting"  # Waiting Closed Skipped Undone Kept
	why: str = ""
