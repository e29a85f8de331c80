"""The books of a run, closed: what was attempted, acknowledged, lost, duplicated, unexpected,
recovered; and what left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from khalifa_whatsapp.core.message_state import RANK
from khalifa_whatsapp.core.records import DELIVERED, FAILED, SENT, UNKNOWN
from khalifa_whatsapp.demo.staff import OpenStore
from simulation.costs import CostOfDay
from simulation.delivery_log import MESSAGE, NOTICE, DeliveryLog, Item
from simulation.simulators import SentMessage

# What no person wrote; reactions of agents have a text of their own
OF_MACHINES = (
	"FROM `tabKhalifa Message` WHERE direction = 'Outgoing' AND origin IN ('Auto', 'Survey', 'Campaign')"
)


@dataclass(frozen=True, slots=True)
class InboundBook:
	"""Jepsen's words: lost = acknowledged but not stored,
	recovered = stored though no answer was ever seen.
	"""

	attempts: int = 0
	acknowledged: int = 0
	stored: int = 0
	lost: int = 0
	duplicated: int = 0
	unexpected: int = 0
	recovered: int = 0
	never_taken: int = 0  # refused or cut off, and never repeated by its gateway

	@property
	def adds_up(self) -> bool:
		"""Nothing lost, nothing twice, nothing from nowhere."""
		return not (self.lost or self.duplicated or self.unexpected)


@dataclass(frozen=True, slots=True)
class OutboundBook:
	"""Answers by their fate, and what the gateways really took."""

	written: int = 0
	taken: int = 0  # distinct answers that a gateway took
	taken_twice: int = 0
	arrived: int = 0  # delivered or read
	sent: int = 0  # taken, no receipt of delivery (yet)
	unknown: int = 0
	unknown_taken: int = 0  # of them, those that a gateway did take
	failed: int = 0
	unfinished: int = 0  # in no final state
	false_sent: int = 0  # we say sent, no gateway took it
	unexpected: int = 0  # a gateway took what nobody wrote

	@property
	def adds_up(self) -> bool:
		"""Nothing twice, nothing claimed that was not, nothing left hanging, no answer without a fate."""
		fates = self.arrived + self.sent + self.unknown + self.failed
		wrong = self.taken_twice or self.unfinished or self.false_sent or self.unexpected
		return not wrong and fates == self.written


@dataclass(slots=True)
class Summary:
	"""Everything a run ends with. `problems` is empty when all adds up."""

	messages: InboundBook = InboundBook()
	notices: InboundBook = InboundBook()
	outbound: OutboundBook = OutboundBook()
	facts: dict[str, float] = field(default_factory=dict)
	cost: CostOfDay = field(default_factory=CostOfDay)
	problems: list[str] = field(default_factory=list)


AUTOMATIC = "SELECT body, status FROM `tabKhalifa Message` WHERE auto_reply IS NOT NULL"


def automatic(store: OpenStore, sent_logs: Sequence[Sequence[SentMessage]]) -> list[str]:
	"""Texts of automatic replies that gateways took more often, or less, than we know."""
	fates: dict[str, Counter[str]] = {}
	for body, status in store.rows(AUTOMATIC):
		fates.setdefault(str(body), Counter())[str(status)] += 1
	taken = Counter(sent.body for sent_log in sent_logs for sent in sent_log)
	problems = []
	for body, counts in fates.items():
		claimed = sum(count for status, count in counts.items() if RANK.get(status, 0) >= RANK[SENT])
		if not claimed <= taken[body] <= claimed + counts[UNKNOWN] + counts[FAILED]:
			problems.append(f"an automatic reply was taken {taken[body]} times, and claimed {claimed} times")
	return problems


def inbound(
	book: DeliveryLog, kind: str, attempts: Collection[Item], stored: Mapping[Item, int]
) -> InboundBook:
	"""Compare what was attempted and acknowledged with what is stored, item by item."""
	tried, kept = set(attempts), set(stored)
	taken = {item for item in book.acknowledged if item[0] == kind}
	return InboundBook(
		attempts=len(tried),
		acknowledged=len(taken),
		stored=len(kept),
		lost=len(taken - kept),
		duplicated=sum(count > 1 for count in stored.values()),
		unexpected=len(kept - tried),
		recovered=len((kept & tried) - taken),
		never_taken=len(tried - taken - kept),
	)


def stored_messages(store: OpenStore) -> dict[Item, int]:
	"""Customers' messages in the database, and how often each is there."""
	sql = (
		"SELECT device, gateway_id, COUNT(*) FROM `tabKhalifa Message` WHERE "
		"direction = 'Incoming' GROUP BY device, gateway_id"
	)
	return {(MESSAGE, device, gateway_id): count for device, gateway_id, count in store.rows(sql)}


def stored_notices(store: OpenStore) -> dict[Item, int]:
	"""What gateways said of messages, as far as it is in the database."""
	sql = (
		"SELECT target_key, CASE kind WHEN 'status' THEN value ELSE kind END AS word, COUNT(*) "
		"FROM `tabKhalifa Message Status` GROUP BY target_key, word"
	)
	return {(NOTICE, key, term): count for key, term, count in store.rows(sql)}


def outbound(store: OpenStore, sent_logs: Sequence[Sequence[SentMessage]]) -> OutboundBook:
	"""Compare our answers with the gateways' own lists.

	Answers are told apart by their text: no two are alike. Automatic replies are (`automatic`).
	"""
	rows = store.rows(
		"SELECT body, status FROM `tabKhalifa Message` WHERE direction = 'Outgoing' AND origin = 'Agent'"
	)
	ours = {str(body): str(status) for body, status in rows}
	machines = {row[0] for row in store.rows(f"SELECT DISTINCT body {OF_MACHINES}")}  # the same to many
	sent_bodies = (sent.body for sent_log in sent_logs for sent in sent_log)
	theirs = Counter(body for body in sent_bodies if body not in machines)
	fates = Counter(ours.values())
	claimed = {body for body, status in ours.items() if RANK.get(status, 0) >= RANK[SENT]}
	arrived = sum(count for status, count in fates.items() if RANK.get(status, 0) >= RANK[DELIVERED])
	doubtful = {body for body, status in ours.items() if status == UNKNOWN}
	final = arrived + fates[SENT] + fates[UNKNOWN] + fates[FAILED]
	return OutboundBook(
		written=len(rows),
		taken=len(theirs),
		taken_twice=sum(count > 1 for count in theirs.values()),
		arrived=arrived,
		sent=fates[SENT],
		unknown=len(doubtful),
		unknown_taken=len(doubtful & theirs.keys()),
		failed=fates[FAILED],
		unfinished=len(rows) - final,
		false_sent=len(claimed - theirs.keys()),
		unexpected=len(theirs.keys() - ours.keys()),
	)
