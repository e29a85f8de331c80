"""Who does something.

One type for the person behind a request, for an agent whom a use case looks at, for the system.
"""

from __future__ import annotations

from dataclasses import dataclass

from khalifa_whatsapp.core.records import Agent

AGENT_ROLE = "WhatsApp Agent"
MANAGER_ROLE = "WhatsApp Manager"
SYSTEM_MANAGER_ROLE = "System Manager"


@dataclass(frozen=True, slots=True)
class Actor:
	"""The user, the real name, the agent that he or she is and may work as now, with the branch; and whether
	a manager.

	Who is nothing of all that is the system.
	"""

	user: str | None = None
	full_name: str | None = None
	agent: str | None = None
	is_manager: bool = False
	branch: str | None = None

	@property
	def is_agent(self) -> bool:
		"""Whether he or she answers customers; a manager may, too."""
		return self.agent is not None


SYSTEM = Actor()


def actor_of(agent: Agent) -> Actor:
	"""An agent as somebody who acts, or is told: who is disabled is no agent now. Roles are not asked for."""
	return Actor(agent.user, agent.employee_name, agent.name if agent.enabled else None, branch=agent.branch)
