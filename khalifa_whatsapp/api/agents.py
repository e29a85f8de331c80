"""Presence: an agent's own, or anybody's for a manager."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import frappe

from khalifa_whatsapp.api.decorators import actor, endpoint, hand_out
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.errors import NotFound
from khalifa_whatsapp.core.shifts import shift_at
from khalifa_whatsapp.guards import agent_only
from khalifa_whatsapp.jobs import scheduler_watch, wake
from khalifa_whatsapp.jobs.steps import StepsFailed
from khalifa_whatsapp.services.tickets import objections, presence
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def set_presence(presence_: str | None = None, agent: str | None = None, **given: Any) -> dict[str, Any]:
	"""Go online, away or offline (`presence`); a manager may name another `agent`."""
	wanted = str(given.get("presence") or presence_ or "")
	who = actor()
	name = agent or who.agent
	if name is None:
		raise NotFound("not_an_agent", "You are not an agent. Ask a manager to add you.")
	returned = presence.set_presence(on_site(), who, name, wanted, now_ms())
	return {"agent": name, "presence": wanted, "returned": returned, "assigned": hand_out()}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def heartbeat() -> dict[str, Any]:
	"""An open page says that it is there, and hears the answer through its socket too, or knows that it hears
	nothing.

	An agent hears how he or she stands: a manager, a silence or the end of the shift may have changed it. It
	also wakes what a sleeping scheduler forgot.
	"""
	who = actor()
	frappe.publish_realtime("khalifa_whatsapp:here", {}, user=frappe.session.user)
	standing = presence.heartbeat(on_site(), who.agent, now_ms()) if who.agent is not None else None
	_look_after_jobs()
	standing_data = dataclasses.asdict(standing) if standing else None
	return {
		"agent": who.agent,
		"standing": standing_data,
		"shift": _shift(who.agent),
		"now_ms": now_ms(),
	}


def _shift(agent: str | None) -> dict[str, int] | None:
	"""The agent's present or next shift, for the page to announce; what can't be read is not."""
	if agent is None:
		return None
	with contextlib.suppress(Conflict, StoreUnavailable):
		shift = shift_at(on_site().agents_in_shift().get(agent), now_ms())
		return dataclasses.asdict(shift) if shift else None
	return None


def _look_after_jobs() -> None:
	"""What can't be woken or mended now is no agent's affair: it is noted,
	and the page is told that it is alive.
	"""
	with contextlib.suppress(StepsFailed):
		scheduler_watch.look()
		wake.wake_due()


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def object_to_delay(delay: str, objection: str) -> dict[str, Any]:
	"""An agent's objection to a delay charged to him or her."""
	event = objections.object_to_delay(on_site(), actor(), delay, objection, now_ms())
	return {"delay": delay, "objection_status": event.objection_status}


@frappe.whitelist(methods=["POST"])
@agent_only
@endpoint
def decide_objection(delay: str, is_accepted: bool, decision: str = "") -> dict[str, Any]:
	"""A manager's decision on an objection."""
	objections.decide_on_objection(on_site(), actor(), delay, is_accepted, decision, now_ms())
	return {"delay": delay, "is_accepted": is_accepted}
