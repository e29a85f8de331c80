"""What counts for KPI, as grouped SQL: each statement gives (agent, metric, length in seconds, count).

Each fact belongs to exactly one instant, so days add up to months. `?` pairs are the period [from, to) in
milliseconds. Lengths come as histograms: few rows however many turns there were, and exact median and p90.
"""

from __future__ import annotations

SEGMENT = "`tabKhalifa Turn Segment`"
TICKET = "`tabKhalifa Ticket`"
TICKET_EVENT = "`tabKhalifa Ticket Event`"
MESSAGE = "`tabKhalifa Message`"
PRESENCE = "`tabKhalifa Presence Log`"

FACTS = (
	# answered turns of the owner: response times, the first ones apart
	f"SELECT agent, 'response', biz_time, COUNT(*) FROM {SEGMENT} "
	"WHERE to_ms >= ? AND to_ms < ? AND end_reason = 'answered' AND agent IS NOT NULL GROUP BY agent, biz_time",
	f"SELECT agent, 'first_response', biz_time, COUNT(*) FROM {SEGMENT} "
	"WHERE to_ms >= ? AND to_ms < ? AND end_reason = 'answered' AND is_first = 1 AND agent IS NOT NULL "
	"GROUP BY agent, biz_time",
	f"SELECT agent, CASE end_reason WHEN 'answered' THEN 'turns_answered' ELSE 'rescues' END, 0, COUNT(*) "
	f"FROM {SEGMENT} WHERE to_ms >= ? AND to_ms < ? AND end_reason IN ('answered', 'answered_by_admin') "
	"AND agent IS NOT NULL GROUP BY agent, end_reason",
	# segments owned that ended or crossed the threshold
	f"SELECT agent, 'segments_counted', 0, COUNT(*) FROM {SEGMENT} "
	"WHERE counted_ms >= ? AND counted_ms < ? AND agent IS NOT NULL GROUP BY agent",
	f"SELECT agent, 'late_transfers', 0, COUNT(*) FROM {SEGMENT} "
	"WHERE counted_ms >= ? AND counted_ms < ? AND is_late_transfer = 1 AND agent IS NOT NULL GROUP BY agent",
	# delays, without those whose objection was accepted
	"SELECT agent, 'delays', 0, COUNT(*) FROM `tabKhalifa Delay Event` WHERE at_ms >= ? AND at_ms < ? "
	"AND kind = 'Agent' AND COALESCE(objection_status, '') <> 'Accepted' GROUP BY agent",
	# tickets that ended: everyone who held it at the end or gets the credit
	f"SELECT agent, 'tickets_handled', 0, COUNT(*) FROM {TICKET} "
	"WHERE closed_ms >= ? AND closed_ms < ? AND agent IS NOT NULL GROUP BY agent",
	f"SELECT resolved_for, 'tickets_handled', 0, COUNT(*) FROM {TICKET} WHERE closed_ms >= ? AND closed_ms < ? "
	"AND resolved_for IS NOT NULL AND resolved_for <> COALESCE(agent, '') GROUP BY resolved_for",
	f"SELECT resolved_for, 'tickets_resolved', 0, COUNT(*) FROM {TICKET} "
	"WHERE closed_ms >= ? AND closed_ms < ? AND resolved_for IS NOT NULL GROUP BY resolved_for",
	f"SELECT resolved_for, 'resolution', waited_time, COUNT(*) FROM {TICKET} "
	"WHERE closed_ms >= ? AND closed_ms < ? AND resolved_for IS NOT NULL AND close_reason <> 'inactive' "
	"GROUP BY resolved_for, waited_time",
	f"SELECT agent, 'tickets_excluded', 0, COUNT(*) FROM {TICKET} WHERE closed_ms >= ? AND closed_ms < ? "
	"AND agent IS NOT NULL AND (close_batch IS NOT NULL OR close_reason = 'spam') GROUP BY agent",
	f"SELECT missed_for, 'missed', 0, COUNT(*) FROM {TICKET} "
	"WHERE closed_ms >= ? AND closed_ms < ? AND missed_for IS NOT NULL GROUP BY missed_for",
	# movements
	f"SELECT to_agent, 'tickets_received', 0, COUNT(*) FROM {TICKET_EVENT} "
	"WHERE at_ms >= ? AND at_ms < ? AND event IN ('assigned', 'transferred') AND to_agent IS NOT NULL GROUP BY to_agent",
	f"SELECT to_agent, 'transfers_in', 0, COUNT(*) FROM {TICKET_EVENT} "
	"WHERE at_ms >= ? AND at_ms < ? AND event = 'transferred' AND to_agent IS NOT NULL GROUP BY to_agent",
	f"SELECT from_agent, 'transfers_out', 0, COUNT(*) FROM {TICKET_EVENT} "
	"WHERE at_ms >= ? AND at_ms < ? AND event = 'transferred' AND from_agent IS NOT NULL GROUP BY from_agent",
	f"SELECT from_agent, 'tickets_reopened', 0, COUNT(*) FROM {TICKET_EVENT} "
	"WHERE at_ms >= ? AND at_ms < ? AND event = 'reopened' AND from_agent IS NOT NULL GROUP BY from_agent",
	# messages written and accepted
	f"SELECT agent, 'messages_sent', 0, COUNT(*) FROM {MESSAGE} "
	"WHERE origin = 'Agent' AND sent_ms >= ? AND sent_ms < ? AND agent IS NOT NULL AND status <> 'Failed' "
	"GROUP BY agent",
)

# Stretches of presence that overlap a period; the clipping is arithmetic.
ONLINE = (
	f"SELECT agent, from_ms, to_ms FROM {PRESENCE} "
	"WHERE presence = 'Online' AND from_ms < ? AND (to_ms = 0 OR to_ms > ?)"
)
