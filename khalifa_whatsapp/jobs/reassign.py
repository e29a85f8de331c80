"""Handing many conversations to somebody, one by one, each by the use case that hands on a single one.

There is no batch to finish: a conversation is either handed on or it is where it was, and its list shows
which. So what is left of a run whose worker died is simply chosen again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import frappe
import redis

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.guards import current_actor
from khalifa_whatsapp.jobs.one_by_one import Result, one_by_one
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.services.tickets import actions, assignment
from khalifa_whatsapp.stores.base import Store

KEEP_SECONDS = 3600
PUBLISH_EVERY = 10


def transfer_each(
	store: Store,
	actor: Actor,
	tickets: Sequence[str],
	reason: str,
	to_agent: str | None,
	to_branch: str | None,
	report_progress: Callable[[int], None] = lambda done: None,
) -> list[Result]:
	"""Hand on each of the tickets; one result per ticket, refusals in the user's language."""
	return one_by_one(
		"reassign",
		tickets,
		lambda ticket: actions.transfer(store, actor, ticket, now_ms(), reason, to_agent, to_branch),
		report_progress,
	)


def enqueue(
	run: str, tickets: Sequence[str], reason: str, to_agent: str | None, to_branch: str | None
) -> None:
	"""Have a worker do it in the name of the present user.

	Raises Redis's errors: nothing would happen then.
	"""
	note(
		run,
		{"user": frappe.session.user, "status": "Running", "done": 0, "total": len(tickets), "results": []},
	)
	frappe.enqueue(
		"khalifa_whatsapp.jobs.reassign.run",
		queue="long",
		run_name=run,
		user=frappe.session.user,
		tickets=list(tickets),
		reason=reason,
		to_agent=to_agent,
		to_branch=to_branch,
	)


def run(
	run_name: str, user: str, tickets: Sequence[str], reason: str, to_agent: str | None, to_branch: str | None
) -> None:
	"""The worker's part. Rights are the user's as they are now: who is no manager any more is refused."""
	frappe.set_user_lang(user)
	store, actor, total = on_site(), current_actor(user), len(tickets)

	def report_progress(done: int) -> None:
		if done % PUBLISH_EVERY == 0:
			_publish(run_name, user, "Running", done, total, [])

	steps = Steps()
	done = steps.run(
		"reassign", lambda: transfer_each(store, actor, tickets, reason, to_agent, to_branch, report_progress)
	)
	steps.run("assignment", lambda: assignment.assign_queue(store, now_ms()))
	results = done or []
	_publish(run_name, user, "Failed" if done is None else "Done", len(results), total, results)


def _publish(run_name: str, user: str, status: str, done: int, total: int, results: list[Result]) -> None:
	state = {"user": user, "status": status, "done": done, "total": total, "results": results}
	with contextlib.suppress(redis.exceptions.RedisError):
		note(run_name, state)


def note(run_name: str, state: dict[str, Any]) -> None:
	"""Keep how far a run is, for an hour."""
	frappe.cache.set_value(_key(run_name), state, expires_in_sec=KEEP_SECONDS)


def state_of(run_name: str) -> dict[str, Any] | None:
	"""How far a run is; None when nobody knows of it any more."""
	return frappe.cache.get_value(_key(run_name), expires=True)


def _key(run_name: str) -> str:
	return f"khalifa_reassign:{run_name}"
