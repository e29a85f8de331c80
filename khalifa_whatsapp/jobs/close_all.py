"""The worker's part of «close all»: step by step until the batch is done or undone."""

from __future__ import annotations

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.guards import current_actor
from khalifa_whatsapp.services import assignment, close_all
from khalifa_whatsapp.services.work import Actor


def run(batch: str, user_: str) -> str:
	"""Go on with a batch in the name of the manager who asked. Safe to run again after a crash."""
	store, found = on_site(), current_actor(user_)
	actor = Actor(found.user, found.employee_name, found.agent, found.is_manager)
	status = ""
	while status not in ("Done", "Undone"):
		stored = store.close_batch(batch)
		act = close_all.undo if stored is not None and stored.status == "Undoing" else close_all.step
		status = act(store, actor, batch, now_ms()).status
	assignment.assign_queue(store, now_ms())
	return status
