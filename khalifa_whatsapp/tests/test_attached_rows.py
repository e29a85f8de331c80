"""What Frappe hangs on our records: whoever may not read the record reads none of it, on no way; all else is
as Frappe has it.

The clerk may read every such DocType, and is neither agent nor manager. Ali is an agent who may, too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import frappe

from khalifa_whatsapp.access import attached_rows
from khalifa_whatsapp.access.attachable import ATTACHABLE, Ref
from khalifa_whatsapp.tests.attached_rows_case import (
	CLERK,
	COUNTS,
	DEFINITIONS,
	HERS,
	LISTS,
	OF_OURS,
	ROWS,
	AttachedRowsCase,
	tables,
	without_hooks,
)
from khalifa_whatsapp.tests.case import ALI, HUDA, VISITOR
from khalifa_whatsapp.tests.web import Answer


class TestAllAttachedRows(AttachedRowsCase):
	def test_the_table_knows_all_of_frappe_s_doctypes(self) -> None:
		doctypes = {name for name, kind in tables().items() if not kind}
		self.assertEqual(doctypes - set(ATTACHABLE) - DEFINITIONS, set())
		self.assertGreater(len(doctypes), 50)
		for doctype, refs in ATTACHABLE.items():
			self.assertTrue(list(attached_rows._refs(doctype)), doctype)
			for ref in attached_rows._refs(doctype):
				there = frappe.get_meta(ref.through.doctype if ref.through else doctype)
				self.assertTrue(not ref.name or there.has_field(ref.name), (doctype, refs))
				self.assertIn(ref.own or "owner", ("owner", *frappe.get_meta(doctype).get_valid_columns()))

	def test_every_table_is_hooked(self) -> None:
		for doctype in ATTACHABLE:
			self.assertIn(
				f"{attached_rows.__name__}.query_conditions",
				frappe.get_hooks("permission_query_conditions")[doctype],
			)
			if not frappe.get_meta(doctype).istable:
				self.assertIn(
					f"{attached_rows.__name__}.has_permission", frappe.get_hooks("has_permission")[doctype]
				)
				self.assertIn(
					f"{attached_rows.__name__}.validate", frappe.get_doc_hooks()[doctype]["validate"]
				)

	def test_ours_are_all_of_ours(self) -> None:
		ours = frappe.get_all("DocType", {"module": "Khalifa WhatsApp"}, ["name", "istable"])
		children = {row.name for row in ours if row.istable}
		self.assertEqual(attached_rows.OURS - children, {row.name for row in ours} - children)

	def names(self, answer: Answer, doctype: str) -> set[str]:
		text = answer.raw.decode("utf-8", "replace")
		return {kind for kind in ("hers", "his", "else") if f"kw-{kind}-{frappe.scrub(doctype)}" in text}

	def test_no_list_shows_what_hangs_on_a_closed_record_and_others_as_ever(self) -> None:
		closed = Counter[str]()
		for user in (CLERK, ALI, HUDA):
			for doctype in self.with_rights():
				for route, go in LISTS.items():
					seen = self.names(go(self.as_(user), doctype, ""), doctype)
					with without_hooks():
						before = self.names(go(self.as_(user), doctype, ""), doctype)
					wanted = {kind for kind in before if self.may_read(user, doctype, kind)}
					self.assertEqual(seen, wanted, (user, doctype, route))
					closed[route] += len(before - wanted)
		for route in LISTS:
			self.assertGreater(closed[route], 40, (route, "shows nothing to anybody: it proves nothing"))

	def test_no_row_is_read_by_its_name_and_others_as_ever(self) -> None:
		closed = Counter[str]()
		for user, doctype, kind, name in self.cells():
			for route, go in ROWS.items():
				with without_hooks():
					before = self.said(go(self.as_(user), doctype, name), name)
				seen = self.said(go(self.as_(user), doctype, name), name)
				if self.may_read(user, doctype, kind):
					self.assertEqual(seen, before, (user, doctype, kind, route))
				else:
					self.assertFalse(seen[1], (user, doctype, kind, route))
					closed[route] += before[1]
		for route in ROWS:
			self.assertGreater(closed[route], 40, (route, "shows nothing to anybody: it proves nothing"))

	def cells(self) -> Iterator[tuple[str, str, str, str]]:
		for user in (CLERK, ALI):
			for doctype in self.with_rights():
				for kind in ("hers", "his", "else"):
					yield user, doctype, kind, f"kw-{kind}-{frappe.scrub(doctype)}"

	def said(self, answer: Answer, name: str) -> tuple[int, bool]:
		"""The status, and whether the row is in the answer: a refusal repeats its name."""
		return answer.status, (answer.status == 200 and '"owner"' in answer.text) or (
			answer.status == 200 and name in answer.text
		)

	def test_no_count_reveals_a_closed_row(self) -> None:
		counted = Counter[str]()
		for user, doctype, kind, name in self.cells():
			for route, go in COUNTS.items():
				answer = go(self.as_(user), doctype, name)
				count = answer.json.get("message", answer.json.get("data")) if answer.status == 200 else 0
				counted[route] += bool(count)
				if not self.may_read(user, doctype, kind):
					self.assertFalse(count, (user, doctype, kind, route))
		for route in COUNTS:
			self.assertGreater(counted[route], 40, route)


class TestOtherAttachedRows(AttachedRowsCase):
	"""What the table says beside each DocType's first line."""

	def seen(self, user: str, doctype: str, *names: str) -> set[str]:
		"""By list, or each by itself."""
		given = {"doctype": doctype, "filters": [["name", "in", names]], "limit_page_length": 100}
		listed = {row["name"] for row in self.as_(user).call("frappe.client.get_list", **given).message}
		opened = {
			name
			for name in names
			if self.as_(user).send("GET", f"/api/resource/{doctype}/{name}").status == 200
		}
		return listed | opened

	def kinds(self, doctype: str, ref: Ref, **more: Any) -> list[str]:
		names = [self.attach(doctype, kind, ref, **more) for kind in ("hers", "his", "else")]
		frappe.db.commit()
		return names

	def test_every_reference_counts(self) -> None:
		tried = 0
		for doctype in self.with_rights():
			for ref in list(attached_rows._refs(doctype))[1:]:
				names = hers, his, other = self.kinds(doctype, ref)
				of_ali = {other} if ref.own else {other, his, *([] if ref.name else [hers])}
				for user, may_read in ((HUDA, set(names)), (CLERK, {other}), (ALI, of_ali)):
					with without_hooks():
						before = self.seen(user, doctype, *names)
					self.assertEqual(
						self.seen(user, doctype, *names), before & may_read, (user, doctype, ref)
					)
					tried += len(before - may_read)
		self.assertGreaterEqual(tried, 15)

	def test_a_persons_own_notices_stay_readable_and_nobody_elses(self) -> None:
		ref = ATTACHABLE["Notification Log"][0]
		(hers, *_others) = self.kinds("Notification Log", ref, for_user=ALI)
		self.assertEqual(
			self.seen(ALI, "Notification Log", hers), {hers}, "told to him, though the ticket is Mona's"
		)
		self.assertEqual(self.seen(CLERK, "Notification Log", hers), set())
		published = (
			self.as_(ALI)
			.call("frappe.desk.doctype.notification_log.notification_log.get_notification_logs")
			.message
		)
		self.assertIn(hers, {row["name"] for row in published["notification_logs"]})

	def test_saved_filters_of_others_are_theirs(self) -> None:
		(name, *_others) = self.kinds("List Filter", ATTACHABLE["List Filter"][0], for_user=HUDA)
		self.assertEqual(
			(self.seen(ALI, "List Filter", name), self.seen(HUDA, "List Filter", name)), (set(), {name})
		)
		for of, sees in (("", {ALI, HUDA}), (ALI, {ALI, HUDA})):
			frappe.db.set_value("List Filter", name, "for_user", of)
			frappe.db.commit()
			self.assertEqual(
				{user for user in (ALI, HUDA, CLERK) if self.seen(user, "List Filter", name)}, sees, of
			)

	def test_child_rows_are_not_listed_by_themselves(self) -> None:
		for doctype, parent in (
			("Communication Link", "Communication"),
			("Dynamic Link", "Contact"),
			("Event Participants", "Event"),
		):
			for user, kinds in ((CLERK, {"else"}), (ALI, {"his", "else"}), (HUDA, {"hers", "his", "else"})):
				query = {"parent": parent, "filters": OF_OURS}
				answer = self.as_(user).send("GET", f"/api/resource/{doctype}", query_string=query)
				self.assertEqual(answer.status, 200, (doctype, user, answer.text))
				names = {row["name"] for row in answer.json["data"] if not row["name"].endswith("-part")}
				self.assertEqual(names, {f"kw-{kind}-{frappe.scrub(doctype)}" for kind in kinds})

	def test_what_hangs_on_a_branch_is_for_those_who_may_read_branches(self) -> None:
		name = self.insert(
			"Comment", {"name": "kw-branch", "reference_doctype": "Khalifa Branch", "reference_name": "North"}
		)
		frappe.db.commit()
		self.assertEqual(
			(self.seen(CLERK, "Comment", name), self.seen(HUDA, "Comment", name)), (set(), {name})
		)

	def test_a_row_can_not_be_taken_away_and_read_elsewhere(self) -> None:
		away = {"reference_doctype": "User", "reference_name": "Guest"}
		for user, name in ((CLERK, "kw-hers-comment"), (ALI, "kw-hers-comment"), (ALI, "kw-his-comment")):
			before = frappe.get_doc("Comment", name).as_dict()
			who, whole = self.as_(user), {**before, **away, "doctype": "Comment"}
			for answer in (
				who.send("PUT", f"/api/resource/Comment/{name}", json=away),
				who.send("PUT", f"/api/v2/document/Comment/{name}", json=away),
				who.call("frappe.client.set_value", doctype="Comment", name=name, fieldname=away),
				who.call("frappe.client.save", doc=json.loads(frappe.as_json(whole))),
				who.call(
					"frappe.desk.form.save.savedocs", doc=json.loads(frappe.as_json(whole)), action="Save"
				),
				who.call("frappe.client.bulk_update", docs=[{"doctype": "Comment", "docname": name, **away}]),
				who.send("DELETE", f"/api/resource/Comment/{name}"),
			):
				self.assertTrue(
					answer.status == 403
					or "not permitted" in answer.text.lower()
					or "failed_docs" in answer.text,
					answer.text,
				)
			frappe.db.rollback()
			self.assertEqual(frappe.get_doc("Comment", name).as_dict(), before)

	def test_other_rows_are_changed_as_ever(self) -> None:
		change = {"content": "changed", "reference_doctype": "User", "reference_name": "Administrator"}
		answer = self.as_(CLERK).send("PUT", "/api/resource/Comment/kw-else-comment", json=change)
		self.assertEqual((answer.status, answer.json["data"]["content"]), (200, "changed"))
		self.assertEqual(self.as_(CLERK).send("DELETE", "/api/resource/Comment/kw-else-comment").status, 202)

	def test_what_hangs_is_not_shared_either(self) -> None:
		for doctype in ("Comment", "Version"):
			for kind, status in (("hers", 417), ("else", 200)):
				share = {
					"doctype": doctype,
					"name": f"kw-{kind}-{frappe.scrub(doctype)}",
					"user": CLERK,
					"read": 1,
				}
				answer = self.as_(HUDA).call("frappe.share.add", **share)
				self.addCleanup(frappe.db.delete, "DocShare", {"user": CLERK})
				self.assertIn(answer.status, (status, 403) if kind == "hers" else (status,), answer.text)
		self.assertFalse(frappe.db.exists("DocShare", {"share_name": ("like", "kw-hers%")}))

	def test_a_share_that_is_there_opens_nothing(self) -> None:
		for kind in ("hers", "else"):
			share = {
				"name": f"kw-{kind}",
				"user": VISITOR,
				"share_doctype": "Comment",
				"share_name": f"kw-{kind}-comment",
				"read": 1,
			}
			self.insert("DocShare", share)
		frappe.db.commit()
		answer = self.as_(VISITOR).call("frappe.client.get_list", doctype="Comment")
		self.assertEqual([row["name"] for row in answer.message], ["kw-else-comment"])

	def test_the_calendar_shows_what_may_be_read(self) -> None:
		frappe.db.set_value(
			"Event", {"name": ("like", "kw-%")}, {"starts_on": "2030-01-01 10:00", "status": "Open"}
		)
		frappe.db.commit()
		for user, kinds in ((CLERK, {"else"}), (ALI, {"his", "else"}), (HUDA, {"hers", "his", "else"})):
			events = (
				self.as_(user)
				.call("frappe.desk.doctype.event.event.get_events", start="2030-01-01", end="2030-01-02")
				.message
			)
			self.assertEqual({row["name"] for row in events}, {f"kw-{kind}-event" for kind in kinds}, user)

	def test_a_board_is_not_given_back_to_whoever_knows_its_name(self) -> None:
		self.insert(
			"Kanban Board Column",
			{
				"name": "kw-column",
				"parent": "kw-hers-kanban_board",
				"parentfield": "columns",
				"parenttype": "Kanban Board",
				"column_name": "Open",
				"order": json.dumps([HERS]),
			},
		)
		frappe.db.commit()
		self.addCleanup(frappe.db.delete, "Kanban Board Column", {"name": "kw-column"})
		for verb, given in (
			("save_settings", {"settings": {"fields": [], "show_labels": 1}}),
			("set_indicator", {"column_name": "Open", "indicator": "Red"}),
		):
			path = f"frappe.desk.doctype.kanban_board.kanban_board.{verb}"
			answer = self.as_(CLERK).call(path, board_name="kw-hers-kanban_board", **given)
			self.assertEqual(answer.status, 403, answer.text)
			self.assertNotIn(HERS, answer.text)

	def test_the_search_of_the_whole_site_finds_what_may_be_read(self) -> None:
		for kind in ("hers", "his", "else"):
			row = ("Event", f"kw-{kind}-event", f"zzeverywhere {kind}")
			frappe.db.sql(
				"insert into `__global_search` (doctype, name, content, published, title, "
				"route) values (%s, %s, %s, 0, '', '')",
				row,
			)
		frappe.db.commit()
		settings = "frappe.desk.doctype.global_search_settings.global_search_settings"
		self.replace(f"{settings}.get_doctypes_for_global_search", lambda: ["Event"])
		self.addCleanup(frappe.db.sql, "delete from `__global_search` where name like 'kw-%'")
		for user, kinds in ((CLERK, {"else"}), (ALI, {"his", "else"}), (HUDA, {"hers", "his", "else"})):
			hits = self.as_(user).call("frappe.utils.global_search.search", text="zzeverywhere").message
			self.assertEqual({row["name"] for row in hits}, {f"kw-{kind}-event" for kind in kinds}, user)

	def test_whoever_looks_at_such_a_list_does_not_learn_of_rows_of_ours(self) -> None:
		published: list[Any] = []
		self.replace("frappe.realtime.emit_via_redis", lambda *what: published.append(what))
		for doctype, name in (("Khalifa Ticket", HERS), ("User", "Guest")):
			comment = {
				"doctype": "Comment",
				"comment_type": "Comment",
				"content": "x",
				"reference_doctype": doctype,
				"reference_name": name,
			}
			self.addCleanup(frappe.delete_doc, "Comment", frappe.get_doc(comment).insert().name, force=True)
			frappe.db.commit()
			notified_users = {what[2] for what in published}
			self.assertEqual("doctype:Comment" in notified_users, doctype == "User")

	def test_other_rows_cost_nothing(self) -> None:
		"""Neither a query, nor a word in a query that asks for one row."""
		for doctype in self.with_rights():
			doc = frappe.get_doc(doctype, f"kw-else-{frappe.scrub(doctype)}")
			for user in (CLERK, ALI, HUDA):
				attached_rows.has_permission(doc, "read", user)
				attached_rows.query_conditions(user, doctype)  # metas and roles are kept from now on
				with patch.object(frappe.db, "sql", side_effect=AssertionError(doctype)):
					self.assertIsNone(attached_rows.has_permission(doc, "read", user))
					if user != ALI:
						attached_rows.query_conditions(user, doctype)
		self.assertEqual({attached_rows.query_conditions(HUDA, doctype) for doctype in ATTACHABLE}, {""})
