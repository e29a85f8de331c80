"""What messages cost, written down once they are delivered and their gateway has named no amount.

A step of the minute, away from the intake: no rate and no odd number holds up a status. What has no rate
stays to be seen as such, and is priced as soon as there is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from khalifa_whatsapp.core import cost, identity, records
from khalifa_whatsapp.core.content import load
from khalifa_whatsapp.core.details import dict_of, text_of
from khalifa_whatsapp.core.keys import template_key
from khalifa_whatsapp.core.phones import country_of
from khalifa_whatsapp.services.unit_of_work import UnitOfWork, retrying, working
from khalifa_whatsapp.stores.base import Store

LIMIT = 1_000


def settle(store: Store, now_ms: int, limit: int = LIMIT) -> int:
	"""Price delivered messages that are due. How many; as many as `limit` means that more may wait."""
	return retrying(lambda: _settle(store, now_ms, limit))


def _settle(store: Store, now_ms: int, limit: int) -> int:
	rates = store.message_rates()
	with working(store, now_ms) as work:
		due = store.messages_to_price(limit)
		countries, categories = _countries(store, due), _categories(store, due)
		for message in due:
			message.price_country = countries[message.name]
			message.price_category = cost.category_of(
				message.price_category, categories.get(message.name, "")
			)
			_price(work, message, rates)
		return len(due)


def _price(work: UnitOfWork, message: records.Message, rates: Sequence[cost.Rate]) -> None:
	day = work.rules.calendar.local_date(message.delivered_ms or message.sent_ms)
	facts = cost.Facts(message.price_category, message.price_country, day, message.price_type)
	price = cost.price_of(facts, rates)
	message.price_state = price.state
	message.cost_micros, message.cost_currency = price.micros or None, price.currency
	work.touch(message)


def _countries(store: Store, messages: Sequence[records.Message]) -> dict[str, str]:
	"""By message: the country of the number that it went to, else of another of the customer's."""
	rows = store.identities_of({message.customer for message in messages}) if messages else {}
	return {message.name: _country(message, rows.get(message.customer, [])) for message in messages}


def _country(message: records.Message, rows: Sequence[records.CustomerIdentity]) -> str:
	first = sorted(rows, key=lambda row: row.name != message.identity)
	return next((country for row in first if (country := _country_of(row))), cost.EVERYWHERE)


def _country_of(row: records.CustomerIdentity) -> str:
	if row.kind == identity.PHONE:
		return country_of(row.value if row.value.startswith("+") else f"+{row.value}")
	return row.value[:2] if row.kind == identity.BSUID else cost.EVERYWHERE


def _categories(store: Store, messages: Sequence[records.Message]) -> Mapping[str, str]:
	"""By message: the category of its template, where the gateway has named none."""
	keys: dict[str, dict[str, str]] = defaultdict(dict)  # by device: message and key
	for message in messages:
		sent = dict_of(load(message.data).get("template")) if message.content_type == "template" else {}
		if sent and not message.price_category:
			name, language = text_of(sent.get("name")), text_of(sent.get("language"))
			keys[message.device][message.name] = template_key(message.device, name, language)
	categories: dict[str, str] = {}
	for device, wanted in keys.items():
		rows = {row.template_key: row for row in store.provider_templates(device, set(wanted.values()), ())}
		categories |= {name: rows[key].category for name, key in wanted.items() if key in rows}
	return categories
