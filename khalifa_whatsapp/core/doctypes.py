"""Every DocType of ours: which rows agents see, what each role may do, which fields agents never read.

Whoever needs a list of our DocTypes takes it from here: the hooks, the permission conditions, the guards of
Frappe's own methods, the tests. `tests/core/test_doctypes.py` compares the table with the DocTypes' JSON,
both ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from khalifa_whatsapp.core.actor import AGENT_ROLE, MANAGER_ROLE, SYSTEM_MANAGER_ROLE


class Rows(Enum):
	"""Which rows of a DocType an agent sees. Managers see all, everybody else sees none."""

	ALL = auto()  # no condition: the role's rights hold for every row
	VISIBLE_TICKETS = auto()  # see `core.ticket_access.can_see`
	OF_VISIBLE_TICKETS = auto()  # the field `ticket` names one that the agent sees
	KNOWN_CUSTOMERS = auto()  # customers of tickets that the agent sees, and those whom he or she served last
	OWN = auto()  # `agent_field` names the agent
	OWN_AND_SHARED = auto()  # the same, and rows in which it is empty
	APPROVED = auto()  # templates that the gateway has approved
	NONE = auto()


NO_RIGHTS: frozenset[str] = frozenset()
READ = frozenset({"read"})
ANALYSE = READ | {"report", "export"}
MAINTAIN = ANALYSE | {"create", "write"}


@dataclass(frozen=True, slots=True)
class DocType:
	"""One DocType, and the rights of each role: System Managers have those of managers unless they are given.

	What no role may write, only use cases write. `hidden`: fields that agents never read. `agent_field`: the
	column that names the one agent whom a row is about.
	"""

	name: str
	rows: Rows
	agents: frozenset[str] = NO_RIGHTS
	managers: frozenset[str] = ANALYSE
	system_managers: frozenset[str] | None = None
	hidden: tuple[str, ...] = ()
	agent_field: str = ""
	is_taggable: bool = False  # whoever sees a row may tag it
	has_files: bool = False  # agents find the files of the rows that they see
	is_child: bool = False  # rows of a child table have the rights of their parent
	is_single: bool = False

	@property
	def rights(self) -> dict[str, frozenset[str]]:
		"""The rights of each role; a child table has none of its own."""
		if self.is_child:
			return {}
		highest = self.managers if self.system_managers is None else self.system_managers
		return {AGENT_ROLE: self.agents, MANAGER_ROLE: self.managers, SYSTEM_MANAGER_ROLE: highest}

	@property
	def is_guarded(self) -> bool:
		"""Whether some rows are closed to agents."""
		return self.rows is not Rows.ALL

	@property
	def is_made_by_people(self) -> bool:
		"""Whether rows are made in a form: its own, or that of the parent."""
		return self.is_child or any("create" in rights for rights in self.rights.values())


# A delay that is charged to an agent leaves his or her lists with the ticket: from a row that somebody may
# read, Frappe's lists reach every field of the ticket and the customer that it links to (`ticket.preview`),
# and ask nothing about those.
DOCTYPES = (
	# Conversations
	DocType(
		"Khalifa Ticket",
		Rows.VISIBLE_TICKETS,
		agents=READ,
		hidden=("closed_by",),
		is_taggable=True,
		has_files=True,
	),
	DocType("Khalifa Ticket Event", Rows.OF_VISIBLE_TICKETS, agents=READ, hidden=("actor",)),
	DocType(
		"Khalifa Message",
		Rows.OF_VISIBLE_TICKETS,
		agents=READ,
		hidden=("sender",),
		has_files=True,
	),
	DocType("Khalifa Message Status", Rows.NONE),
	DocType(
		"Khalifa Customer",
		Rows.KNOWN_CUSTOMERS,
		agents=READ,
		managers=ANALYSE | {"write"},
		is_taggable=True,
	),
	DocType("Khalifa Customer Identity", Rows.NONE),
	DocType("Khalifa Consent Event", Rows.NONE),
	DocType("Khalifa Close Batch", Rows.NONE),
	DocType("Khalifa Close Batch Item", Rows.NONE),
	# Campaigns
	DocType("Khalifa Campaign", Rows.NONE, managers=MAINTAIN),
	DocType("Khalifa Campaign Recipient", Rows.NONE),
	# What is measured
	DocType("Khalifa Turn", Rows.OF_VISIBLE_TICKETS, agents=READ, hidden=("answered_by_user",)),
	DocType("Khalifa Turn Segment", Rows.OF_VISIBLE_TICKETS, agents=READ),
	DocType(
		"Khalifa Delay Event", Rows.OF_VISIBLE_TICKETS, agents=READ, hidden=("objected_by", "decided_by")
	),
	DocType("Khalifa Satisfaction", Rows.OF_VISIBLE_TICKETS, agents=READ),
	DocType("Khalifa Presence Log", Rows.NONE, agent_field="agent"),
	DocType("Khalifa Agent KPI", Rows.OWN, agents=READ | {"report"}, agent_field="agent"),
	DocType("Khalifa KPI Day", Rows.NONE),
	# People and their templates
	DocType(
		"Khalifa Agent",
		Rows.OWN,
		agents=READ,
		managers=MAINTAIN,
		hidden=("user",),
		agent_field="name",
	),
	DocType("Khalifa Agent Shift", Rows.OWN, agent_field="parent", is_child=True),
	DocType(
		"Khalifa Reply Template",
		Rows.OWN_AND_SHARED,
		agents=READ | {"create", "write", "delete"},
		managers=MAINTAIN | {"delete", "print", "email"},
		agent_field="agent",
		has_files=True,
	),
	DocType(
		"Khalifa Provider Template",
		Rows.APPROVED,
		agents=READ,
		managers=MAINTAIN | {"delete"},
		has_files=True,
	),
	# Agents use theirs through our own methods (`api.macros`)
	DocType("Khalifa Macro", Rows.NONE, managers=MAINTAIN | {"delete"}, agent_field="agent"),
	DocType("Khalifa Macro Step", Rows.NONE, is_child=True),
	DocType("Khalifa Message Rate", Rows.NONE, managers=MAINTAIN | {"delete"}),
	DocType("Khalifa Auto Reply", Rows.NONE, managers=MAINTAIN | {"delete"}),
	DocType("Khalifa Template Button", Rows.APPROVED, is_child=True),
	DocType("Khalifa Template Variable", Rows.APPROVED, is_child=True),
	# The company
	DocType("Khalifa Branch", Rows.ALL, agents=frozenset({"select"}), managers=MAINTAIN),
	DocType("Khalifa Working Hour", Rows.ALL, is_child=True),
	DocType("Khalifa Calendar Exception", Rows.ALL, is_child=True),
	DocType("Khalifa Settings", Rows.NONE, managers=READ | {"create", "write"}, is_single=True),
	# Devices and what they say
	DocType("WhatsApp Device", Rows.NONE, managers=MAINTAIN),
	DocType("Khalifa Device Notice", Rows.NONE),
	DocType("Khalifa Browser Session", Rows.NONE, managers=READ),
	DocType("Khalifa Webhook Event", Rows.NONE, managers=NO_RIGHTS, system_managers=READ),
	DocType("Khalifa Alert", Rows.NONE),
	DocType("Khalifa Metric Counter", Rows.NONE, managers=NO_RIGHTS, system_managers=READ),
	# Who did what
	DocType("Khalifa Audit Entry", Rows.NONE),
)

BY_NAME = {doctype.name: doctype for doctype in DOCTYPES}
GUARDED = frozenset(doctype.name for doctype in DOCTYPES if doctype.is_guarded)
# Those whose lists are cut by a condition, and those whose rows are asked about one by one
FILTERED = frozenset(name for name in GUARDED if not BY_NAME[name].is_single)
CHECKED = frozenset(name for name in GUARDED if not BY_NAME[name].is_child)
TAGGABLE = frozenset(doctype.name for doctype in DOCTYPES if doctype.is_taggable)


def with_rows(*rows: Rows) -> frozenset[str]:
	"""The names of the DocTypes of which agents see these rows."""
	return frozenset(doctype.name for doctype in DOCTYPES if doctype.rows in rows)
