"""What can't be used of a device, written on the device each minute: its form, its list, health and managers
see it.

Nothing is asked of people that a look at the row can't tell: who enters the secrets again, or corrects a
setting, has mended the device, and it says so by itself.
"""

from __future__ import annotations

import frappe
from frappe import _
from frappe.utils import comma_and

from khalifa_whatsapp.core.troubles import MESSAGES, NEEDS_SECRETS
from khalifa_whatsapp.jobs.alerts import alert_managers, clear_alerts, forget_old, publish_to_pages
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.site_devices import Problem, forget_devices, problem_of

DEVICE = "WhatsApp Device"


def look() -> None:
	"""Look at every enabled device, each by itself, and at the alerts of those that are gone."""
	steps = Steps()
	steps.each("devices", frappe.get_all(DEVICE, {"enabled": 1}, pluck="name"), look_at)
	forget_old()
	steps.check()


def look_at(device: str) -> None:
	"""Write down what is wrong with one device, and tell managers of it once; or that nothing is any more."""
	now = fields_of(device)
	kind = now["problem"]
	before = frappe.db.get_value(DEVICE, device, ["problem", "problem_fields"])
	if before is not None and (before[0] or "", before[1] or "") != tuple(now.values()):
		frappe.db.set_value(DEVICE, device, now, update_modified=False)
		frappe.db.commit()
		forget_devices()
		if before[0] and before[0] != kind:
			clear_alerts(device, MESSAGES.get(before[0], ""))
		publish_to_pages(device)
	if kind:
		alert_managers(device, reason=MESSAGES[kind])


def fields_of(device: str) -> dict[str, str]:
	"""What the device's own fields say of it, as it is stored now."""
	problem = problem_of(device)
	return {
		"problem": problem.kind if problem else "",
		"problem_fields": "\n".join(problem.about) if problem else "",
	}


def text_of_problem(problem: Problem | None) -> str:
	"""What is wrong and what to do, in the reader's language, with the fields' names."""
	if problem is None:
		return ""
	meta = frappe.get_meta(DEVICE)
	labels = [_(meta.get_label(field)) for field in problem.about]
	if problem.kind == NEEDS_SECRETS and "webhook_address" in problem.about:
		labels.append(_("New Webhook Secret"))
	return " ".join(
		[_(MESSAGES[problem.kind]), *([f"({comma_and(labels, add_quotes=False)})"] if labels else [])]
	)


def text_for_agents(problem: Problem | None) -> str:
	"""Why what they write waits. Who mends it, and how, is the manager's part."""
	if problem is None:
		return ""
	if problem.kind == NEEDS_SECRETS:
		return _(
			"This number can't send now: a manager must enter its secrets again. What you write waits, "
			"and goes then."
		)
	return _(
		"This number can't send now: a manager must correct its settings. What you write waits, "
		"and goes then."
	)
