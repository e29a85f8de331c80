"""A template that a person wrote is submitted to a simulated Meta, reviewed, edited, and sent with its
picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.identity import Identity
from khalifa_whatsapp.core.template_drafts import Button, TemplateDraft
from khalifa_whatsapp.core.templates import filled
from khalifa_whatsapp.drivers.abilities import TemplateAuthor, TemplateRefused
from khalifa_whatsapp.drivers.base import AuthError, UnknownOutcome
from khalifa_whatsapp.drivers.cloud_api import CloudApiDriver
from khalifa_whatsapp.drivers.http import HttpClient
from khalifa_whatsapp.services import templates
from khalifa_whatsapp.services.outbound import payloads
from khalifa_whatsapp.services.outbound.answer_drafts import template_draft
from khalifa_whatsapp.services.unit_of_work import working
from simulation.simulators import CloudApiSimulator
from tests.services.harness import Desk

PICTURE = "/private/files/offer.png"
DRAFT = TemplateDraft(
	"order_ready",
	"ar",
	"UTILITY",
	header_kind="IMAGE",
	body="أهلاً {{1}}، طلبك جاهز.",
	buttons=(Button("URL", "تتبع", "https://example.com/{{1}}"), Button("COPY_CODE")),
	examples={"body.1": "منى", "0.1": "SO-1", "1.coupon_code": "NEW10"},
)


class Scene:
	"""A desk with one draft, and a Meta to submit it to."""

	def __init__(self, sim: CloudApiSimulator) -> None:
		self.sim, self.desk = sim, Desk()
		self.driver = CloudApiDriver(sim.config(), HttpClient(2.0, 0.5))
		self.desk.store.files[PICTURE] = b"\x89PNG picture"
		with working(self.desk.store, self.desk.now) as work:
			row = records.ProviderTemplate("T1", "key", "desk", "", DRAFT.name, DRAFT.language, "DRAFT")
			row.header_file, row.header_file_name, row.is_changed = PICTURE, "offer.png", 1
			work.add(row)

	@property
	def row(self) -> records.ProviderTemplate:
		row = self.desk.store.provider_template("T1")
		assert row is not None
		return row

	def submit(self, draft: TemplateDraft = DRAFT, names: Any = ()) -> records.ProviderTemplate:
		return templates.submit(self.desk.store, self.driver, "T1", draft, names, self.desk.now)

	def decide(self, status: str) -> None:
		self.sim.decide_template(self.row.template_id, status)
		with working(self.desk.store, self.desk.now) as work:
			row = work.store.provider_template("T1", locked=True)
			assert row is not None
			row.status = status
			work.touch(row)


@pytest.fixture
def scene() -> Iterator[Scene]:
	with CloudApiSimulator(lambda: 1_790_000_000_000) as sim:
		yield Scene(sim)


def test_a_draft_goes_to_review_with_the_bytes_of_its_picture(scene: Scene) -> None:
	assert isinstance(scene.driver, TemplateAuthor)
	row = scene.submit()
	(listed,) = scene.driver.list_templates()
	assert (row.status, row.template_id, row.is_changed) == ("PENDING", listed.template_id, 0)
	assert row == scene.row
	assert [content for _type, content in scene.sim.review.handles.values()] == [b"\x89PNG picture"]
	(handle,) = scene.sim.review.handles
	header = json.loads(row.components or "")[0]
	assert header == {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [handle]}}


def test_what_breaks_a_rule_never_reaches_meta(scene: Scene) -> None:
	for draft in (replace(DRAFT, body="{{1}} أهلاً"), replace(DRAFT, examples={})):
		with pytest.raises(UserError):
			scene.submit(draft)
	with pytest.raises(UserError):
		scene.submit(names={f"t{number}" for number in range(250)})
	assert scene.sim.templates.rows == []
	assert scene.sim.review.handles == {}
	assert scene.row.status == "DRAFT"


def test_metas_own_words_come_back(scene: Scene) -> None:
	scene.sim.templates.add(DRAFT.name, DRAFT.language, [{"type": "BODY", "text": "x"}])
	with pytest.raises(TemplateRefused) as refused:
		scene.submit()
	assert refused.value.explanation == "Content exists: There is content in ar already."
	assert refused.value.code == "2388024"
	assert scene.row.status == "DRAFT"


def test_what_is_in_review_is_left_alone_and_what_was_rejected_is_edited(scene: Scene) -> None:
	scene.submit()
	with pytest.raises(UserError):
		scene.submit(replace(DRAFT, footer="x"))
	scene.decide("REJECTED")
	row = scene.submit(replace(DRAFT, footer="صيدليات", category="MARKETING"))
	assert (row.status, row.needs_sync, row.category) == ("PENDING", 1, "MARKETING")
	(listed,) = scene.driver.list_templates()
	assert (listed.template_id, listed.category) == (row.template_id, "MARKETING")
	assert {"type": "FOOTER", "text": "صيدليات"} in listed.components


def test_the_category_of_an_approved_template_stays(scene: Scene) -> None:
	scene.submit()
	scene.decide("APPROVED")
	assert scene.submit(replace(DRAFT, category="MARKETING")).status == "PENDING"
	(listed,) = scene.driver.list_templates()
	assert listed.category == "UTILITY"


def test_an_answer_that_does_not_come_is_looked_up(scene: Scene) -> None:
	class Silent:
		def upload_example(self, *_given: Any) -> str:
			return "4::h"

		def create_template(self, *_given: Any) -> Any:
			raise UnknownOutcome("The gateway did not answer in time.", code="read_timeout")

		def edit_template(self, *_given: Any) -> Any:
			raise AssertionError

	with pytest.raises(UnknownOutcome):
		templates.submit(scene.desk.store, Silent(), "T1", DRAFT, (), scene.desk.now)
	assert (scene.row.status, scene.row.needs_sync) == ("DRAFT", 1)


def test_a_lost_picture_is_said(scene: Scene) -> None:
	scene.desk.store.files.clear()
	with pytest.raises(UserError):
		scene.submit()
	assert scene.sim.templates.rows == []


def test_it_is_sent_with_its_picture_as_bytes_and_its_values(scene: Scene) -> None:
	scene.submit()
	scene.sim.templates.rows[0]["status"] = "APPROVED"
	draft = template_draft(filled(scene.row, ["منى", "SO-7", "NEW10"]))
	message = records.Message(
		"M1", "KT-1", "C1", "desk", records.OUTGOING, records.AGENT, draft.content_type, records.MSG_QUEUED,
		sent_ms=1, received_ms=1, body=draft.body, file_url=draft.file_url, file_name=draft.file_name,
		mime_type=draft.mime_type, data=json.dumps(draft.data),
	)  # fmt: skip
	parts = payloads.Parts((Identity("phone", "+201001234567"),))
	scene.driver.send(payloads.build(message, parts, scene.desk.store.read_file))
	(sent,) = scene.sim.sent_log.rows()
	header, body, link, code = sent.payload["template"]["components"]
	picture = scene.sim.media.find(header["parameters"][0]["image"]["id"])
	assert picture is not None and picture.content == b"\x89PNG picture"
	assert body["parameters"] == [{"type": "text", "text": "منى"}]
	assert (link["sub_type"], link["index"]) == ("url", "0")
	assert link["parameters"] == [{"type": "text", "text": "SO-7"}]
	assert code["parameters"] == [{"type": "coupon_code", "coupon_code": "NEW10"}]
	assert "link" not in json.dumps(sent.payload["template"])


def test_a_token_that_is_not_taken_is_a_matter_of_the_device(scene: Scene) -> None:
	scene.sim.access_token = "another"
	with pytest.raises(AuthError):
		scene.submit()
	assert scene.row.status == "DRAFT"
