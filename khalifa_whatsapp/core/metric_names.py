"""What the metrics count: one table for whoever counts and for whoever shows it.

A counter only grows. Labels are names of ours (devices, jobs, states), never anything that came from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MESSAGES, SEND_WAIT = "messages", "send_wait"
REFUSALS = "webhook_refusals"
JOB_RUNS, JOB_MS, JOB_LAST_MS = "job_runs", "job_ms", "job_last_ms"
COUNTED_UNTIL = "counted_until"  # a mark, shown to nobody: until when rows were counted
MARKS = frozenset({JOB_LAST_MS, COUNTED_UNTIL})  # instants: the latest stands, nothing is added

# How far a message has come, by the status that its row has some minutes after it was handed over
COME_TO = {
	"Sent": "sent",
	"Delivered": "sent",
	"Read": "sent",
	"Played": "sent",
	"Failed": "failed",
	"Unknown": "unknown",
	"Queued": "retried",
}
# What gateways say of it later; that it was sent is known already
SAID_LATER = frozenset({"delivered", "read", "played", "failed"})

# Upper ends of the classes of waiting in the outbox, in milliseconds
WAIT_MS = (1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000)
SUM = "sum"  # the label `le` of the sum of all waiting


@dataclass(frozen=True, slots=True)
class Increment:
	"""So much is to be added to the counter of a metric with these labels."""

	metric: str
	labels: Mapping[str, str]
	by: int = 1


def waits(device: str, counts: Iterable[int], all_of_them: int, sum_ms: int) -> list[Increment]:
	"""The counts of a histogram: of each class with all that waited less, of all, and their sum."""
	ends = (*(str(end / 1000) for end in WAIT_MS), "+Inf", SUM)
	numbers = (*counts, all_of_them, sum_ms)
	return [
		Increment(SEND_WAIT, {"device": device, "le": end}, number)
		for end, number in zip(ends, numbers, strict=True)
		if number
	]
