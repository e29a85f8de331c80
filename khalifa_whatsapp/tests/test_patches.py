"""Patches: each does its work once, and nothing the second time."""

from __future__ import annotations

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.patches import fill_message_search_text
from khalifa_whatsapp.tests.case import SiteCase
from khalifa_whatsapp.tests.records import insert


class TestPatches(SiteCase):
	def test_old_messages_are_found_by_search(self) -> None:
		now = now_ms()
		bodies = {"M-1": "عِنْدَكُم أسبرين؟", "M-2": "", "M-3": "✓", "M-4": "kept"}
		for name, body in bodies.items():
			text = "another form" if name == "M-4" else None
			insert(r.Message(name, "KT-1", "C-1", "Loop", r.INCOMING, r.CUSTOMER, "text", r.RECEIVED, now, now, body=body, search_text=text))
		frappe.db.commit()
		self.replace("khalifa_whatsapp.patches.fill_message_search_text.CHUNK", 1)
		for _run in range(2):
			fill_message_search_text.execute()
			found = dict(frappe.db.sql("select name, search_text from `tabKhalifa Message`"))
			self.assertEqual(found, {"M-1": "عندكم اسبرين؟", "M-2": None, "M-3": "✓", "M-4": "another form"})
