"""Each minute: how far campaigns are, who has stopped promotions after one, which must stop by themselves.

Counts are what the rows say, counted anew; nobody adds up.
"""

from __future__ import annotations

from khalifa_whatsapp.core import audit as kinds
from khalifa_whatsapp.core import campaigns, records, template_state
from khalifa_whatsapp.core.campaign_stops import Reason, why_stop
from khalifa_whatsapp.core.errors import describe
from khalifa_whatsapp.core.keys import digest
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.drivers.base import WARNING
from khalifa_whatsapp.services.campaigns import lifecycle, planning
from khalifa_whatsapp.services.campaigns.planning import values_json
from khalifa_whatsapp.services.campaigns.replies import LONGEST_DAYS
from khalifa_whatsapp.services.campaigns.rows import campaign_of, note, publish, recount
from khalifa_whatsapp.services.isolation import check
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

OPT_OUTS_MS = 3 * DAY_MS  # opt-outs are looked at for so long: a stopped scheduler misses none over a weekend
PAGE = 500
STOPPED = "The campaign {campaign} stopped itself. Open it to read why, then let it go on or cancel it."


def look(store: Store, now_ms: int, ended_ms: int = DAY_MS) -> None:
	"""Look at every campaign that has not ended, or ended less than `ended_ms` ago; each by itself."""
	note_opt_outs(store, now_ms)
	failed: dict[str, str] = {}
	for campaign in store.campaigns_to_count(now_ms - ended_ms):
		try:
			_look_at(store, campaign, now_ms)
		except Exception as error:  # one that can't be looked at must not stop the others: it is named below
			failed[campaign.name] = describe(error)
	check(failed)


def look_at(store: Store, name: str, now_ms: int) -> records.Campaign:
	"""Count one campaign's recipients; it ends when nobody is under way, and stops when it does harm."""

	def run() -> records.Campaign:
		with working(store, now_ms) as work:
			campaign = campaign_of(work, name)
			if recount(work, campaign):
				publish(work, campaign)
			if campaign.status == campaigns.RUNNING:
				_end_or_stop(work, campaign)
			return campaign

	return retrying(run)


def _look_at(store: Store, campaign: records.Campaign, now_ms: int) -> None:
	look_at(store, campaign.name, now_ms)
	if campaign.status == campaigns.CANCELLED:
		lifecycle.sweep(store, campaign.name, now_ms)


def finish_clearing(store: Store, now_ms: int) -> None:
	"""Go on deleting plans that were taken back, where whoever did it was killed."""
	for campaign in store.campaigns_in([campaigns.DRAFT]):
		if campaign.plan_state == campaigns.CLEARING:
			planning.clear(store, campaign.name, now_ms)


def _end_or_stop(work: UnitOfWork, campaign: records.Campaign) -> None:
	is_done = not campaign.planned_count and not work.store.count_under_way(campaign.name)
	if is_done:
		campaign.status, campaign.ended_ms = campaigns.FINISHED, work.now_ms
		note(work, campaign, kinds.FINISHED)
		publish(work, campaign)
		return
	why = _why_stop(work, campaign)
	if why is not None:
		_stop(work, campaign, why)


def _why_stop(work: UnitOfWork, campaign: records.Campaign) -> Reason | None:
	if campaign.content_type == campaigns.TEMPLATE:
		template = work.store.campaign_template(campaign.template or "")
		reason = template_state.why_not(template.status if template else None)
		if reason:
			return Reason("The template can't be sent now. {reason}", {"reason": reason})
	tally = work.store.campaign_tally(campaign.name, campaign.judged_from_ms or 0)
	return why_stop(campaign, tally, work.store.device_condition(campaign.device))


def _stop(work: UnitOfWork, campaign: records.Campaign, why: Reason) -> None:
	campaign.status = campaigns.PAUSED
	campaign.status_reason, campaign.status_values = why.text, values_json(why.values)
	note(work, campaign, kinds.STOPPED, why.text)
	publish(work, campaign)
	key = digest("notice", "campaign", campaign.name, str(work.now_ms))
	values = values_json({"campaign": campaign.title})
	work.add(
		records.DeviceNotice(
			work.new_name(), key, campaign.device, "campaign", WARNING, work.now_ms, STOPPED, values
		)
	)


def note_opt_outs(store: Store, now_ms: int) -> int:
	"""Mark recipients whose customer has stopped promotions after the campaign's message; how many."""
	since_ms, marked = now_ms - OPT_OUTS_MS, 0
	while True:
		stopped, count = retrying(lambda since=since_ms: _note_some(store, since, now_ms))  # type: ignore[misc]
		marked += count
		if len(stopped) < PAGE or stopped[-1][1] == since_ms:
			return marked
		since_ms = stopped[-1][1]


def _note_some(store: Store, since_ms: int, now_ms: int) -> tuple[list[tuple[str, int]], int]:
	with working(store, now_ms) as work:
		stopped = store.customers_opted_out(since_ms, PAGE)
		at = dict(stopped)
		rows = store.recipients_written_to(at, now_ms - LONGEST_DAYS * DAY_MS) if at else []
		known = store.campaigns({row.campaign for row in rows}) if rows else {}
		marked = 0
		for row in rows:
			campaign = known.get(row.campaign)
			if campaign is not None and _is_after(row, campaign, at[row.customer or ""]):
				campaigns.opted_out(row, at[row.customer or ""])
				work.touch(row)
				marked += 1
		return stopped, marked


def _is_after(row: records.CampaignRecipient, campaign: records.Campaign, at_ms: int) -> bool:
	"""Whether the customer stopped promotions after this campaign's message had gone, within its days."""
	gone_ms = row.sent_ms
	if row.opted_out_ms or gone_ms is None:
		return False
	return gone_ms <= at_ms <= gone_ms + campaign.reply_window_days * DAY_MS
