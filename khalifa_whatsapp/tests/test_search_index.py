"""Search that has gone blind is seen, and mended."""

from __future__ import annotations

from unittest.mock import Mock, patch

import frappe

from khalifa_whatsapp.jobs import search_index
from khalifa_whatsapp.tests.case import SiteCase
from khalifa_whatsapp.tests.records import insert_incoming


class TestSearchIndex(SiteCase):
	def setUp(self) -> None:
		super().setUp()
		for number, text in enumerate(("عندكم اسبرين", "ok", "12345 ✓✓")):
			insert_incoming(f"M-{number}", search_text=text)
		frappe.db.commit()

	def test_what_works_is_left_alone(self) -> None:
		made = self.replace("khalifa_whatsapp.jobs.search_index.rebuild", Mock())
		search_index.run()
		made.assert_not_called()

	def test_an_index_that_finds_nothing_is_made_anew(self) -> None:
		made = self.replace("khalifa_whatsapp.jobs.search_index.rebuild", Mock(wraps=search_index.rebuild))
		with patch("khalifa_whatsapp.jobs.search_index._is_indexed", return_value=False) as asked:
			search_index.run()
		made.assert_called_once_with()
		# the others have no long word
		self.assertEqual([call.args[1] for call in asked.call_args_list], ["اسبرين"])
		self.assertTrue(search_index._is_indexed("M-0", "اسبرين"))
