"""The part of the `Store` port that campaigns ask for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.campaign_stops import Condition, Tally
from khalifa_whatsapp.core.pacing import Pace, Traffic


@dataclass(frozen=True, slots=True)
class StoredTemplate:
	"""A gateway's template as campaigns need it: its name, its state, and its parts as JSON."""

	device: str
	template_name: str
	language: str
	status: str
	components: str
	parameter_format: str
	category: str = ""


class CampaignStore(Protocol):
	"""What use cases ask of campaigns and their recipients."""

	def campaigns(self, names: Collection[str]) -> dict[str, records.Campaign]:
		"""Campaigns by name (locked)."""

	def campaigns_in(self, statuses: Collection[str]) -> list[records.Campaign]:
		"""Campaigns in one of these states, the oldest plan first; not locked."""

	def campaigns_on(self, device: str) -> list[records.Campaign]:
		"""Campaigns of a device that run or are paused: what may go of their messages depends on them."""

	def campaigns_to_count(self, since_ms: int) -> list[records.Campaign]:
		"""Campaigns whose recipients may still change: those that have not ended, or did not long ago."""

	def campaign_template(self, name: str) -> StoredTemplate | None:
		"""A gateway's template."""

	def recipient_lines(self, keys: Collection[str]) -> dict[str, int]:
		"""By key: in which line of the audience a recipient is that is there already."""

	def waiting_recipients(self, campaign: str, limit: int) -> list[records.CampaignRecipient]:
		"""Recipients that are planned and not queued yet (locked), in the order of the audience."""

	def recipients_of_customers(
		self, campaign: str, customers: Collection[str]
	) -> list[records.CampaignRecipient]:
		"""Recipients of one campaign who are one of these customers, whatever their state."""

	def recipients_of_messages(self, messages: Collection[str]) -> list[records.CampaignRecipient]:
		"""Recipients whose message is one of these (locked)."""

	def recipients_written_to(
		self, customers: Collection[str], since_ms: int
	) -> list[records.CampaignRecipient]:
		"""Recipients, of any campaign, who are one of these customers and whose message was queued since
		then (locked).
		"""

	def queued_recipients(self, campaign: str, limit: int) -> list[records.CampaignRecipient]:
		"""Recipients whose message waits or is being sent (locked); not those in doubt."""

	def recipient_counts(self, campaign: str) -> dict[str, int]:
		"""How many recipients are in each state."""

	def count_under_way(self, campaign: str) -> int:
		"""How many recipients' messages wait or are being sent; not those in doubt."""

	def campaign_tally(self, campaign: str, since_ms: int) -> Tally:
		"""What has become of the messages that were queued since then."""

	def drop_recipients(self, campaign: str, limit: int) -> int:
		"""Delete planned recipients of a campaign, some at a time; how many."""

	def campaign_traffic(self, campaign: str, pace: Pace, now_ms: int, day_start_ms: int) -> Traffic:
		"""What was handed over of a campaign, as far as its own pace asks."""

	def customers_promoted_to(self, device: str, since_ms: int) -> int:
		"""How many campaign messages a device has handed over since then."""

	def count_new_chats(self, campaign: str, device: str) -> int:
		"""How many planned recipients have no conversation on the device yet."""

	def recipient_numbers(self, campaign: str) -> list[tuple[str, int]]:
		"""Planned recipients by the first digits of their numbers: one of these numbers, and how many."""

	def customers_opted_out(self, since_ms: int, limit: int) -> list[tuple[str, int]]:
		"""(customer, when) of those who have stopped promotions since then, the earliest first."""

	def device_condition(self, device: str) -> Condition:
		"""What is known of a device: its login, and what the gateway says of its number."""
