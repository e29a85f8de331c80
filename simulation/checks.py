"""Does every ticket's history hold together? Each check gives sentences about what does not; none is good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from khalifa_whatsapp.demo.staff import OpenStore
from simulation import care

OPEN_STATES = ("Queued", "Open", "Pending")
AT_MOST = 20  # sentences per check; a broken rule breaks everywhere
# After such an end a turn may have gone on later: the answer failed, or a closing was taken back.
RESUMABLE = ("answer_failed", "closed")
# A turn that became part of another one keeps its row, and counts for nothing.
GONE = "('joined', 'answer_failed')"


def check_desk(store: OpenStore) -> list[str]:
	"""Everything that does not add up in the database."""
	lines: list[str] = []
	for check in (
		one_open_ticket,
		events_in_order,
		segments_cover_turns,
		waited_time,
		delays_match,
		kpi_matches,
		automatic_replies,
		all_final,
		care.one_survey_per_cycle,
		care.consent_is_its_log,
	):
		problems = list(check(store))
		lines += problems[:AT_MOST]
		if len(problems) > AT_MOST:
			lines.append(f"… and {len(problems) - AT_MOST} more of this kind ({check.__name__})")
	return lines


def one_open_ticket(store: OpenStore) -> Iterator[str]:
	"""A customer has at most one open ticket per device, and its state agrees with its key."""
	sql = (
		"SELECT customer, device, COUNT(*) FROM `tabKhalifa Ticket` WHERE status <> 'Closed' "
		"GROUP BY customer, device HAVING COUNT(*) > 1"
	)
	for customer, device, count in store.rows(sql):
		yield f"customer {customer} has {count} open tickets on {device}"
	for name, status, key, turn, waiting in store.rows(
		"SELECT name, status, open_key, turn, waiting_since_ms FROM `tabKhalifa Ticket`"
	):
		if (status in OPEN_STATES) != (key is not None):
			yield f"{name}: status {status} does not agree with its open key"
		if bool(turn) != bool(waiting) or (status == "Open" and not turn) or (status == "Closed" and turn):
			yield f"{name}: status {status}, turn {turn}, waiting since {waiting} do not agree"


def events_in_order(store: OpenStore) -> Iterator[str]:
	"""History is only added to: it begins with «created», time never goes back,
	closings and reopenings alternate.
	"""
	history: dict[str, list[tuple[str, int]]] = defaultdict(list)
	for ticket, event, at_ms in store.rows(
		"SELECT ticket, event, at_ms FROM `tabKhalifa Ticket Event` ORDER BY name"
	):
		history[ticket].append((event, at_ms))
	states = dict(store.rows("SELECT name, status FROM `tabKhalifa Ticket`"))
	for ticket, rows in history.items():
		if rows[0][0] != "created" or sum(event == "created" for event, _ in rows) != 1:
			yield f"{ticket}: its history does not begin with being created once"
		if any(later < sooner for (_, sooner), (_, later) in pairwise(rows)):
			yield f"{ticket}: time goes back in its history"
		yield from _alternates(
			ticket, [event for event, _ in rows if event in ("closed", "reopened")], states[ticket]
		)
	for ticket in states.keys() - history.keys():
		yield f"{ticket}: has no history"


def _alternates(ticket: str, events: list[str], state: str) -> Iterator[str]:
	expected = ["closed", "reopened"] * len(events)
	if events != expected[: len(events)]:
		yield f"{ticket}: closings and reopenings do not alternate"
	elif (len(events) % 2 == 1) != (state == "Closed"):
		yield f"{ticket}: is {state}, its history says otherwise"


def segments_cover_turns(store: OpenStore) -> Iterator[str]:
	"""A turn's segments follow each other without gap or overlap, and their lengths add up to the turn's."""
	parts: dict[str, list[Sequence[Any]]] = defaultdict(list)
	for row in store.rows(
		"SELECT turn, from_ms, to_ms, end_reason, biz_time, "
		"agent FROM `tabKhalifa Turn Segment` ORDER BY from_ms, name"
	):
		parts[row[0]].append(row[1:])
	sql = (
		"SELECT name, ticket, started_ms, ended_ms, biz_time, known_ms FROM `tabKhalifa Turn` "
		f"WHERE COALESCE(outcome, '') NOT IN {GONE}"
	)
	for name, ticket, started, ended, biz, known in store.rows(sql):
		problem = _chain_problem(parts.get(name, []), started, ended, known)
		if problem:
			yield f"{ticket}: turn {name}: {problem}"
			continue
		rows = parts[name]
		is_whole = rows[0][0] == started and not any(row[2] in RESUMABLE for row in rows[:-1])
		total = sum(row[3] or 0 for row in rows)
		if ended and is_whole and abs(total - (biz or 0)) > len(rows):
			yield f"{ticket}: turn {name} lasted {biz} s, its segments {total} s"


def _chain_problem(rows: list[Sequence[Any]], started: int, ended: int, known: int) -> str:
	if not rows:
		return "has no segment"
	if rows[0][0] < started:
		return "a segment begins before the turn"
	if rows[0][0] > max(started, known):
		return "nobody held it in the beginning"
	for sooner, later in pairwise(rows):
		if not sooner[1] or later[0] < sooner[1]:
			return "two segments overlap"
		if later[0] > sooner[1] and sooner[2] not in RESUMABLE:
			return f"a gap of {(later[0] - sooner[1]) // 1000} s after a segment that ended as {sooner[2]}"
	last = rows[-1][1]
	if bool(last) != bool(ended):
		return "turn and last segment do not end together"
	return "the last segment does not end with the turn" if ended and last != ended else ""


def waited_time(store: OpenStore) -> Iterator[str]:
	"""A ticket's waited time is the sum of its ended turns."""
	sql = (
		"SELECT t.name, t.waited_time, COALESCE(SUM(u.biz_time), "
		"0) FROM `tabKhalifa Ticket` t LEFT JOIN `tabKhalifa Turn` u "
		f"ON u.ticket = t.name AND u.ended_ms > 0 AND u.outcome NOT IN {GONE} GROUP BY t.name, t.waited_time"
	)
	for name, waited, total in store.rows(sql):
		if int(waited or 0) != int(total):
			yield f"{name}: waited {waited} s, its turns say {total} s"


def delays_match(store: OpenStore) -> Iterator[str]:
	"""One delay event per delayed segment and per delayed turn, closed when the wait ended."""
	sql = (
		"SELECT s.name, s.level, COUNT(d.name) FROM `tabKhalifa Turn Segment` "
		"s LEFT JOIN `tabKhalifa Delay Event` d "
		"ON d.segment = s.name GROUP BY s.name, s.level"
	)
	for name, level, count in store.rows(sql):
		if count != (1 if level >= 2 else 0):
			yield f"segment {name} of level {level} has {count} delay events"
	sql = (
		"SELECT u.name, u.is_delayed, COUNT(d.name) FROM `tabKhalifa Turn` u "
		"LEFT JOIN `tabKhalifa Delay Event` d "
		"ON d.turn = u.name AND d.kind = 'Customer' GROUP BY u.name, u.is_delayed"
	)
	for name, is_delayed, count in store.rows(sql):
		if count != is_delayed:
			yield f"turn {name}: delayed {is_delayed}, {count} delay events of the customer"
	sql = (
		"SELECT d.name, d.kind FROM `tabKhalifa Delay Event` d JOIN `tabKhalifa Turn` u ON u.name = d.turn "
		"LEFT JOIN `tabKhalifa Turn Segment` s ON s.name = d.segment WHERE d.closed_ms = 0 "
		"AND ((d.kind = 'Customer' AND u.ended_ms > 0) OR (d.kind = 'Agent' AND s.to_ms > 0))"
	)
	for name, kind in store.rows(sql):
		yield f"delay {name} ({kind}) is open though the wait is over"


KPI_SUMS = {
	"response_count": "SELECT COUNT(*) FROM `tabKhalifa Turn Segment` "
	"WHERE end_reason = 'answered' AND agent IS NOT NULL",
	"response_sum": (
		"SELECT COALESCE(SUM(biz_time), "
		"0) FROM `tabKhalifa Turn Segment` WHERE end_reason = 'answered' AND agent IS NOT NULL"
	),
	"delays": "SELECT COUNT(*) FROM `tabKhalifa Delay Event` WHERE kind = 'Agent'",
	"messages_sent": (
		"SELECT COUNT(*) FROM `tabKhalifa Message` WHERE origin = 'Agent' AND "
		"agent IS NOT NULL AND status <> 'Failed'"
	),
	"transfers_out": (
		"SELECT COUNT(*) FROM `tabKhalifa Ticket Event` WHERE event = "
		"'transferred' AND from_agent IS NOT NULL"
	),
	"ratings": "SELECT COUNT(*) FROM `tabKhalifa Satisfaction` WHERE score > 0 AND agent IS NOT NULL",
	"tickets_resolved": "SELECT COUNT(*) FROM `tabKhalifa Ticket` WHERE resolved_for IS NOT NULL",
}


def kpi_matches(store: OpenStore) -> Iterator[str]:
	"""The KPI rows are the ledgers added up, by days and by months alike."""
	for field, sql in KPI_SUMS.items():
		truth = int(store.rows(sql)[0][0])
		sums = dict(store.rows(f"SELECT period, SUM({field}) FROM `tabKhalifa Agent KPI` GROUP BY period"))
		for period in ("Daily", "Monthly"):
			if int(sums.get(period) or 0) != truth:
				yield f"KPI {field}: {period} rows say {sums.get(period)}, the ledger {truth}"


def automatic_replies(store: OpenStore) -> Iterator[str]:
	"""No wait has more of them than the settings allow, and none is anybody's answer."""
	sql = (
		"SELECT u.ticket, COUNT(*) FROM `tabKhalifa Turn` u JOIN `tabKhalifa Message` m "
		"ON m.ticket = u.ticket AND m.auto_reply IS NOT NULL AND m.sent_ms >= u.started_ms "
		f"AND (u.ended_ms = 0 OR m.sent_ms < u.ended_ms) WHERE COALESCE(u.outcome, '') NOT IN {GONE} "
		"GROUP BY u.name, u.ticket HAVING COUNT(*) > ?"
	)
	for ticket, count in store.rows(sql, (store.rules().settings.max_auto_replies,)):
		yield f"{ticket}: {count} automatic replies in one wait"
	sql = (
		"SELECT u.ticket FROM `tabKhalifa Turn` u JOIN `tabKhalifa Message` m ON m.name = u.answer "
		"WHERE m.auto_reply IS NOT NULL"
	)
	for (ticket,) in store.rows(sql):
		yield f"{ticket}: an automatic reply counts as an answer"


def all_final(store: OpenStore) -> Iterator[str]:
	"""Nothing is left half done: neither what came in nor what went out."""
	sql = (
		"SELECT status, COUNT(*) FROM `tabKhalifa Webhook Event` WHERE status NOT IN ('Done', "
		"'Ignored') GROUP BY status"
	)
	for status, count in store.rows(sql):
		yield f"{count} deliveries are {status}"
	sql = (
		"SELECT status, COUNT(*) FROM `tabKhalifa Message` WHERE status IN ('Queued', "
		"'Sending') GROUP BY status"
	)
	for status, count in store.rows(sql):
		yield f"{count} messages are still {status}"
