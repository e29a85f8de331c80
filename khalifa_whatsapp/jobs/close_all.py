"""The worker's part of «close all»: step by step until the batch is done or undone."""

from __future__ import annotations

import dataclasses

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.guards import current_actor
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.services.tickets import assignment, bulk_close
from khalifa_whatsapp.stores.base import Store


def run(batch: str) -> str:
	"""Go on with a batch in the name of the manager who asked. Safe to run again after a crash, or beside
	another.

	What fails is taken up again by the minute job.
	"""
	steps = Steps()
	status = steps.run("close all run", lambda: _run(on_site(), batch)) or ""
	steps.run("assignment", lambda: assignment.assign_queue(on_site(), now_ms()))
	return status


def _run(store: Store, batch: str) -> str:
	with store.lock(f"close_all:{batch}") as is_ours:
		return _go_on(store, batch) if is_ours else "busy"


def _go_on(store: Store, batch: str) -> str:
	actor, status = _actor(batch), ""
	while status not in ("Done", "Undone"):
		record = store.close_batch(batch)
		act = bulk_close.undo if record is not None and record.status == "Undoing" else bulk_close.step
		status = act(store, actor, batch, now_ms()).status
	return status


def _actor(batch: str) -> Actor:
	"""Who asked. The right to do so was checked then: a batch goes on when the manager has left meanwhile."""
	user = frappe.db.get_value("Khalifa Close Batch", batch, "requested_by") or "Administrator"
	return dataclasses.replace(current_actor(user), is_manager=True)
