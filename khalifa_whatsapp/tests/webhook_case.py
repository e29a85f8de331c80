"""Devices of every gateway and posts as those would send them, for the tests of webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import frappe

from khalifa_whatsapp.drivers.cloud_api.verify import SIGNATURE_HEADER, sign
from khalifa_whatsapp.services.inbound import webhook
from khalifa_whatsapp.stores.sql_values import unpack_body
from khalifa_whatsapp.tests.case import (
	SiteCase,
	make_loop,
)
from khalifa_whatsapp.tests.web import METHOD, Answer, Caller

CORPUS = Path(frappe.get_app_path("khalifa_whatsapp")).parent / "tests" / "data"
HOOKS = "khalifa_whatsapp.api.webhook."
META_SECRET, TOKEN = "meta-app-secret", "verify-me"
REFUSED = (webhook.REFUSED.status, webhook.REFUSED.body.encode())
OCTETS = {"Content-Type": "application/octet-stream"}


class WebhookCase(SiteCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_loop("Other", "secret-of-the-other")
		make_loop("Office", "secret-of-the-office", allowed_ips="10.1.0.0/16\n2001:db8::1")
		make_device(
			"Meta", "cloud_api", phone_number_id="600100200300400", access_token="t", app_secret=META_SECRET
		)
		shop = make_device("Shop", "wppconnect", base_url="http://127.0.0.1:21465", session_name="shop1")
		cls.k = shop.new_webhook_secret()["url"].rpartition("k=")[2]
		other_shop = make_device(
			"Shop 2", "wppconnect", base_url="http://127.0.0.1:21465", session_name="shop2"
		)
		cls.k_of_other = other_shop.new_webhook_secret()["url"].rpartition("k=")[2]
		make_device("Browser", "whatsapp_web")
		frappe.db.commit()

	def refused(self, answer: Answer) -> None:
		self.assertEqual((answer.status, answer.raw), REFUSED)
		self.assertEqual(set(self.counts().values()), {0}, "a refusal writes nothing")
		self.assertEqual(self.enqueued, [])

	def stored(self) -> list[tuple[bytes, int]]:
		return [(unpack_body(event.body, event.is_base64), event.seen_count) for event in self.events()]


def make_device(name: str, provider: str, **fields: Any) -> Any:
	row = {"doctype": "WhatsApp Device", "device_name": name, "provider": provider, "verify_token": TOKEN}
	return frappe.get_doc({**row, **fields}).insert()


def post_meta(raw: bytes, signature: str | None = None, device: str = "Meta", **headers: str) -> Answer:
	given = {
		"Content-Type": "application/json",
		SIGNATURE_HEADER: signature or sign(META_SECRET, raw),
		**headers,
	}
	path = f"{METHOD}{HOOKS}cloud_api"
	return Caller().send("POST", path, query_string={"device": device}, data=raw, headers=given)


def post_shop(raw: bytes, k: str | None, device: str = "Shop", **headers: str) -> Answer:
	given = {"Content-Type": "application/json", **headers}
	query = {"device": device, "k": k} if k is not None else {"device": device}
	return Caller().send("POST", f"{METHOD}{HOOKS}wppconnect", query_string=query, data=raw, headers=given)


def corpus(provider: str) -> list[bytes]:
	return [path.read_bytes() for path in sorted((CORPUS / provider).glob("*.json"))]
