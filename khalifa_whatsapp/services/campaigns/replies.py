"""A customer writes after a campaign: its recipient has replied, and the conversation shows the campaign."""

from __future__ import annotations

from collections.abc import Iterable

from khalifa_whatsapp.core import campaigns, records
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.services.unit_of_work import UnitOfWork

LONGEST_DAYS = 90  # no campaign counts replies for longer
CLOCK_SLACK_MS = 2_000  # gateways tell whole seconds


def note(work: UnitOfWork) -> None:
	"""What this transaction has taken in of customers' messages: which of them answer a campaign."""
	written = [row for row in work.changes.created.get(records.Message, ()) if row.origin == records.CUSTOMER]
	if not written:
		return
	since_ms = work.now_ms - LONGEST_DAYS * DAY_MS
	stored = work.store.recipients_written_to({row.customer for row in written}, since_ms)
	if not stored:
		return
	recipients = work.current(stored)
	known = work.store.campaigns({row.campaign for row in recipients})
	for message in written:
		quoted = _quoted(work, message)
		recipient = _answered(message, recipients, known, quoted)
		if recipient is not None:
			campaigns.replied(recipient, message.sent_ms)
			work.touch(recipient)
			_show(work, message, recipient.campaign)


def _quoted(work: UnitOfWork, message: records.Message) -> str | None:
	if not message.reply_to:
		return None
	quoted = work.store.messages_by_key([message.reply_to]).get(message.reply_to)
	return quoted.name if quoted is not None and quoted.campaign else None


def _answered(
	message: records.Message,
	recipients: Iterable[records.CampaignRecipient],
	known: dict[str, records.Campaign],
	quoted: str | None,
) -> records.CampaignRecipient | None:
	"""The one whose message is quoted, else the one that was written to last, within the campaign's days."""
	mine = [row for row in recipients if row.customer == message.customer and row.campaign in known]
	exact = next((row for row in mine if row.message == quoted), None) if quoted else None
	if exact is not None:
		return exact
	near = [row for row in mine if _is_within(message, row, known[row.campaign])]
	return max(near, key=lambda row: (_gone_ms(row), row.name), default=None)


def _is_within(
	message: records.Message, recipient: records.CampaignRecipient, campaign: records.Campaign
) -> bool:
	gone_ms = _gone_ms(recipient)
	until_ms = gone_ms + campaign.reply_window_days * DAY_MS
	is_there = bool(gone_ms) and gone_ms - CLOCK_SLACK_MS <= message.sent_ms <= until_ms
	return is_there and campaign.device == message.device


def _gone_ms(recipient: records.CampaignRecipient) -> int:
	"""When its message went, or may have gone; 0: it has not."""
	in_doubt = recipient.queued_ms if recipient.reason == campaigns.IN_DOUBT else None
	return recipient.sent_ms or in_doubt or 0


def _show(work: UnitOfWork, message: records.Message, campaign: str) -> None:
	"""The conversation that the message came into carries the campaign."""
	changes = work.changes
	new = next((t for t in changes.created.get(records.Ticket, ()) if t.name == message.ticket), None)
	ticket = new or changes.updated.get(records.Ticket, {}).get(message.ticket)
	if ticket is None:
		ticket = work.store.tickets([message.ticket]).get(message.ticket)
	if ticket is not None and ticket.campaign != campaign:
		ticket.campaign = campaign
		work.touch(ticket)
