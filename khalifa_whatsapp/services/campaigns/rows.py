"""What all use cases of campaigns need: the locked row, its counts, and who is told."""

from __future__ import annotations

from khalifa_whatsapp.core import audit as kinds
from khalifa_whatsapp.core import campaigns, records
from khalifa_whatsapp.core.actor import MANAGER_ROLE, Actor
from khalifa_whatsapp.core.errors import NotAllowed, NotFound
from khalifa_whatsapp.services import audit
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

# What the audit list calls what people do with a campaign
ACTIONS = {
	campaigns.PLAN: kinds.PLANNED,
	campaigns.TAKE_BACK: kinds.TAKEN_BACK,
	campaigns.START: kinds.STARTED,
	campaigns.APPROVE: kinds.APPROVED,
	campaigns.PAUSE: kinds.PAUSED,
	campaigns.RESUME: kinds.RESUMED,
	campaigns.CANCEL: kinds.CANCELLED,
}


def only_managers(actor: Actor) -> None:
	"""Campaigns are managers' business."""
	if not actor.is_manager:
		raise NotAllowed("only_managers_campaign", "Only a manager plans and starts campaigns.")


def campaign_of(work: UnitOfWork, name: str) -> records.Campaign:
	"""The campaign, locked."""
	campaign = work.store.campaigns([name]).get(name)
	if campaign is None:
		raise NotFound("no_such_campaign", "There is no such campaign.")
	return campaign


def recount(work: UnitOfWork, campaign: records.Campaign) -> bool:
	"""Write down how many recipients are in each state; whether that is news."""
	return campaigns.put_counts(campaign, work.store.recipient_counts(campaign.name))


def publish(work: UnitOfWork, campaign: records.Campaign) -> None:
	"""It has changed: write it, and tell managers' open pages."""
	work.touch(campaign)
	work.publish("khalifa_whatsapp:campaign", {"campaign": campaign.name}, role=MANAGER_ROLE)


def note(work: UnitOfWork, campaign: records.Campaign, action: str, reason: str = "") -> None:
	"""Write down who did it, for the audit list, with what became of the campaign by that."""
	values = {"status": campaign.status, "planned": campaign.planned_count or "", "reason": reason}
	audit.note(
		work,
		kinds.CAMPAIGN,
		action,
		document_type=records.Campaign.DOCTYPE,
		document=campaign.name,
		title=campaign.title,
		values=values,
	)
