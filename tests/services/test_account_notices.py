"""What a gateway says of the account, the number and its templates is kept once,
with its moment, in any order.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers import base
from khalifa_whatsapp.drivers.cloud_api.parse import parse
from tests.services.harness import MINUTE, START, Desk

SECOND = 1000
TEMPLATE = {
	"message_template_id": 123,
	"message_template_name": "order_ready",
	"message_template_language": "ar",
}


def said(field: str, value: dict[str, Any], at_ms: int = START) -> bytes:
	"""One webhook call of Meta about one field."""
	change = {"field": field, "value": value}
	entry = {"id": "500100200300400", "time": at_ms // SECOND, "changes": [change]}
	return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def deliver(desk: Desk, *calls: bytes) -> None:
	"""Take calls of Meta in as the desk's own, in this order."""
	desk.driver.parse = lambda raw: parse(json.loads(raw)["call"].encode(), "600100200300400")  # type: ignore[method-assign]
	for call in calls:
		desk.keys += 1
		raw = json.dumps({"call": call.decode(), "number": desk.keys}).encode()
		desk.store.record_webhook_event("desk", "loopback", f"{desk.keys:064}", raw, desk.now)
		desk.take()


def status(event: str, at_ms: int = START, **more: Any) -> bytes:
	return said("message_template_status_update", {**TEMPLATE, "event": event, **more}, at_ms)


def device(desk: Desk) -> dict[str, Any]:
	fields = "state", "quality", "messaging_limit", "name_status"
	row = desk.store.rows(f"SELECT {', '.join(fields)} FROM `tabWhatsApp Device`")[0]
	return dict(zip(fields, row, strict=True))


def test_a_ban_restricts_the_device_and_waits_to_be_reported_to_managers():
	desk = Desk()
	deliver(
		desk, said("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}})
	)
	(notice,) = desk.all(records.DeviceNotice)
	assert device(desk)["state"] == "Restricted"
	assert (notice.severity, notice.notified_ms, notice.at_ms) == (base.CRITICAL, None, START)
	assert "banned" in notice.text


def test_the_same_thing_said_twice_is_kept_once_and_said_later_again_is_kept_again():
	desk = Desk()
	flagged = {"event": "FLAGGED", "display_phone_number": "201055500011"}
	deliver(desk, *[said("phone_number_quality_update", flagged)] * 3)
	deliver(desk, said("phone_number_quality_update", flagged, START + MINUTE))
	assert [n.at_ms for n in desk.all(records.DeviceNotice)] == [START, START + MINUTE]


def test_an_error_without_a_moment_is_kept_once_a_day():
	desk = Desk()
	errors = {"metadata": {"phone_number_id": "600100200300400"}, "errors": [{"code": 190, "title": "token"}]}
	deliver(desk, said("messages", errors), said("messages", errors))
	desk.now += 24 * 60 * MINUTE
	deliver(desk, said("messages", errors))
	assert [n.notified_ms for n in desk.all(records.DeviceNotice)] == [None, None]


def test_the_latest_word_stands_in_whatever_order_the_words_arrive():
	calls = [
		said("phone_number_quality_update", {"event": "FLAGGED", "current_limit": "TIER_2K"}, START),
		said("phone_number_quality_update", {"event": "UNFLAGGED"}, START + MINUTE),
		status("APPROVED", START),
		status("PAUSED", START + MINUTE),
		said("template_category_update", {**TEMPLATE, "new_category": "MARKETING"}, START),
	]
	ends = set()
	for order in itertools.permutations(calls):
		desk = Desk(agents=0)
		deliver(desk, *order)
		(row,) = desk.all(records.ProviderTemplate)
		ends.add(
			(
				*device(desk).values(),
				row.status,
				row.category,
				row.needs_sync,
				len(desk.all(records.DeviceNotice)),
			)
		)
	assert ends == {(None, "GREEN", "TIER_2K", None, "PAUSED", "MARKETING", 1, 5)}


def test_a_template_is_found_by_its_id_when_meta_leaves_the_name_out():
	desk = Desk()
	deliver(desk, status("APPROVED"))
	unnamed = {"message_template_id": 123, "event": "DISABLED"}
	deliver(desk, said("message_template_status_update", unnamed, START + MINUTE))
	(row,) = desk.all(records.ProviderTemplate)
	assert (row.status, row.template_name) == ("DISABLED", "order_ready")


def test_events_of_a_day_that_nobody_knows_yet_are_kept_in_metas_own_words():
	desk = Desk()
	deliver(
		desk,
		said("account_update", {"event": "SOMETHING_NEW"}),
		said("account_update", {"event": "PARTNER_ADDED"}),
	)
	new, quiet = sorted(desk.all(records.DeviceNotice), key=lambda notice: notice.notified_ms or 0)
	assert json.loads(new.text_values) == {"event": "SOMETHING_NEW"} and new.notified_ms is None
	assert quiet.notified_ms is not None


def failing(desk: Desk, message: records.Message, code: int) -> bytes:
	value = {
		"metadata": {"phone_number_id": "600100200300400"},
		"statuses": [
			{
				"id": message.gateway_id,
				"status": "failed",
				"timestamp": str(desk.now // SECOND),
				"errors": [{"code": code}],
			}
		],
	}
	return said("messages", value)


def sent(desk: Desk) -> records.Message:
	desk.online()
	message = desk.reply(desk.write("+201001234567"))
	desk.send()
	return desk.message(message.name)


def opted_out(desk: Desk) -> list[int]:
	return [customer.is_opted_out for customer in desk.all(records.Customer)]


def test_a_refused_promotion_is_an_opt_out_and_no_other_failure_is():
	for code, expected in ((131050, 1), (131049, 0), (131026, 0)):
		desk = Desk()
		deliver(desk, failing(desk, sent(desk), code))
		assert opted_out(desk) == [expected], code


def test_a_send_that_is_refused_at_once_is_an_opt_out_too():
	desk = Desk()
	desk.online()
	desk.reply(desk.write("+201001234567"))
	desk.driver.failures.append(base.OptedOut("stopped", "131050"))
	desk.send()
	assert opted_out(desk) == [1]


def test_a_refusal_before_the_customer_resumed_does_not_undo_the_wish():
	desk = Desk()
	message = sent(desk)
	desk.now += MINUTE
	wish = {
		"wa_id": "201001234567",
		"category": "marketing_messages",
		"value": "resume",
		"timestamp": desk.now // SECOND,
	}
	value = {"metadata": {"phone_number_id": "600100200300400"}, "user_preferences": [wish]}
	deliver(desk, said("user_preferences", value), failing(desk, message, 131050))
	assert opted_out(desk) == [0]


def test_an_opt_out_and_a_new_message_of_the_customer_in_one_batch_keep_both():
	desk = Desk()
	message = sent(desk)
	failed = json.loads(failing(desk, message, 131050))
	value = failed["entry"][0]["changes"][0]["value"]
	text = {
		"from": "201001234567",
		"id": "wamid.NEW",
		"timestamp": str(START // SECOND + 60),
		"type": "text",
		"text": {"body": "?"},
	}
	value["messages"] = [text]
	deliver(desk, json.dumps(failed).encode())
	(customer,) = desk.all(records.Customer)
	assert (customer.is_opted_out, customer.last_in_ms) == (1, (START // SECOND + 60) * SECOND)
