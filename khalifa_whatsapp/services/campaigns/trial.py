"""A manager looks at a campaign on his or her own phone before it starts."""

from __future__ import annotations

from khalifa_whatsapp.core import campaigns, records
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.campaign_content import Content
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.identity import Identity, of_phone
from khalifa_whatsapp.core.phones import Phone
from khalifa_whatsapp.services.campaigns.feeding import new_ticket
from khalifa_whatsapp.services.campaigns.planning import Device
from khalifa_whatsapp.services.campaigns.rows import campaign_of, only_managers
from khalifa_whatsapp.services.customers import merging
from khalifa_whatsapp.services.customers.identities import Customers
from khalifa_whatsapp.services.outbound import automatic
from khalifa_whatsapp.services.outbound.answer_drafts import Draft
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store


def send(
	store: Store,
	actor: Actor,
	name: str,
	phone: Phone,
	variant: str,
	content: Content,
	device: Device,
	client_key: str,
	now_ms: int,
) -> records.Message:
	"""Queue what the campaign's first recipient would get, for this phone. It counts nowhere."""

	def run() -> records.Message:
		with working(store, now_ms, actor) as work:
			campaign = campaign_of(work, name)
			if campaign.status in campaigns.ENDED:
				raise UserError("campaign_ended", "This campaign has ended. Copy it to try another.")
			frozen = content.freeze({blank: f"({blank})" for blank in content.needed}, variant)
			number: Identity = of_phone(phone)
			customers = Customers(work, lambda gone, kept: _merge(work, gone, kept))
			customers.read([number])
			customer = customers.resolve([number], now_ms)
			pair = (customer.name, campaign.device)
			ticket = store.latest_tickets([pair]).get(pair)
			if ticket is None:
				ticket = new_ticket(work, customer, campaign.device, store.next_ticket_names(1)[0])
			kind = "template" if frozen.data else "text"
			draft = Draft(frozen.text, kind, data=dict(frozen.data))
			cause = automatic.Cause(records.CAMPAIGN, f"trial {client_key}")
			rows = customers.rows.get(customer.name, [])
			if (known := store.message_by_client_key(cause.key)) is not None:
				return known
			return automatic.queue_new(work, ticket, draft, cause, device.can, rows)

	only_managers(actor)
	return retrying(run)


def _merge(work: UnitOfWork, gone: str, kept: str) -> None:
	"""One identity alone never makes two customers one."""
	merging.merge(work, gone, kept)
