"""What the audit list says: what kind of thing was done, to what, and which values changed how.

A secret's value is never in it, only that it was changed. Texts are cut, and what customers wrote never comes
here: rows are named, not quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

# Kinds: what was acted on
SETTINGS, DEVICE, ROLE, AGENT, BRANCH = "Settings", "Device", "Role", "Agent", "Branch"
CAMPAIGN, CUSTOMER, EXPORT, AUTOMATION, TEMPLATE = "Campaign", "Customer", "Export", "Automation", "Template"
KINDS = (SETTINGS, DEVICE, ROLE, AGENT, BRANCH, CAMPAIGN, CUSTOMER, EXPORT, AUTOMATION, TEMPLATE)

# Actions, as the DocType lists them
CREATED, CHANGED, DELETED, RENAMED = "Created", "Changed", "Deleted", "Renamed"
GIVEN, TAKEN, DISABLED, ENABLED = "Given", "Taken Away", "Disabled", "Enabled"
PLANNED, APPROVED, STARTED, PAUSED, RESUMED = "Planned", "Approved", "Started", "Paused", "Resumed"
CANCELLED, STOPPED, FINISHED, TESTED = "Cancelled", "Stopped by Itself", "Finished", "Tested"
TAKEN_BACK = "Taken Back"
MERGED, KEPT_APART, OPTED_OUT, OPTED_IN, IMPORTED = (
	"Merged",
	"Kept Apart",
	"Opted Out",
	"Opted In",
	"Imported",
)
EXPORTED, CONNECTED, DISCONNECTED, LOGGED_OUT = "Exported", "Connected", "Disconnected", "Logged Out"
NEW_SECRET, SWITCHED, SUBMITTED = "New Webhook Secret", "Gateway Switched", "Submitted for Approval"
ACTIONS = (
	*(CREATED, CHANGED, DELETED, RENAMED, GIVEN, TAKEN, DISABLED, ENABLED),
	*(PLANNED, APPROVED, STARTED, PAUSED, RESUMED, CANCELLED, STOPPED, FINISHED, TESTED, TAKEN_BACK),
	*(MERGED, KEPT_APART, OPTED_OUT, OPTED_IN, IMPORTED),
	*(EXPORTED, CONNECTED, DISCONNECTED, LOGGED_OUT, NEW_SECRET, SWITCHED, SUBMITTED),
)

# DocTypes that people save in forms, with the kind that their entries are of
WATCHED = {
	"Khalifa Settings": SETTINGS,
	"WhatsApp Device": DEVICE,
	"Khalifa Agent": AGENT,
	"Khalifa Branch": BRANCH,
	"Khalifa Campaign": CAMPAIGN,
	"Khalifa Auto Reply": AUTOMATION,
	"Khalifa Message Rate": SETTINGS,
	"Khalifa Provider Template": TEMPLATE,
}

MAX_VALUE, MAX_CHANGES = 140, 100
SECRET = "•••"  # what stands for a secret's value


@dataclass(frozen=True, slots=True)
class Change:
	"""One field's value before and after, as people read them; `label` is the field's, in English."""

	field: str
	label: str
	old: str
	new: str
	is_secret: bool = False


def change_of(field: str, label: str, old: Any, new: Any) -> Change | None:
	"""The change of a plain field; None where both are the same to whoever reads them."""
	before, after = shown(old), shown(new)
	return None if before == after else Change(field, label, before[:MAX_VALUE], after[:MAX_VALUE])


def secret_changed(field: str, label: str, had_value: bool, has_value: bool) -> Change:
	"""The change of a secret: that it was set, changed or taken away, and nothing of what it is."""
	return Change(field, label, SECRET if had_value else "", SECRET if has_value else "", True)


def shown(value: Any) -> str:
	"""A value as the list shows it: nothing for none, whole numbers without a fraction."""
	if value is None:
		return ""
	if isinstance(value, bool):
		return str(int(value))
	if isinstance(value, float) and value.is_integer():
		return str(int(value))
	return str(value).strip()


def details_of(changes: Iterable[Change], values: Mapping[str, Any]) -> dict[str, Any]:
	"""What the row keeps beside its summary: changes field by field, and whatever else was said."""
	kept = [asdict(change) for change in list(changes)[:MAX_CHANGES]]
	said = {name: shown(value)[:MAX_VALUE] for name, value in values.items() if shown(value)}
	return {**({"changes": kept} if kept else {}), **({"values": said} if said else {})}


def summary_of(changes: Iterable[Change], values: Mapping[str, Any]) -> str:
	"""The same in one line, in English: for lists and exports."""
	parts = [f"{change.label}: {change.old or '–'} → {change.new or '–'}" for change in changes]
	parts += [f"{name}: {shown(value)[:MAX_VALUE]}" for name, value in values.items() if shown(value)]
	return "; ".join(parts[:MAX_CHANGES])


@dataclass(slots=True)
class AuditEntry:
	"""Who did what, when: append-only, by people and by the system."""

	DOCTYPE: ClassVar[str] = "Khalifa Audit Entry"
	name: str
	kind: str  # one of `KINDS`
	action: str  # one of `ACTIONS`
	at_ms: int
	actor: str | None = None  # user; None: the system
	actor_name: str = ""
	document_type: str = ""  # the row that it was done to, which may be gone by now
	document: str = ""
	document_title: str = ""
	summary: str = ""
	details: str = ""  # JSON: see `details_of`
