"""The demonstration's quick replies and provider templates: in every state, with pictures and categories."""

from __future__ import annotations

from typing import Any

import frappe

from khalifa_whatsapp.core.quick_replies import language_of
from khalifa_whatsapp.core.template_drafts import Button, TemplateDraft, components_of
from khalifa_whatsapp.core.template_forms import form_of
from khalifa_whatsapp.demo import company, picture
from khalifa_whatsapp.drivers.abilities import TemplateInfo
from khalifa_whatsapp.jobs.templates import store_templates

REPLY, TEMPLATE = "Khalifa Reply Template", "Khalifa Provider Template"
PICTURE = "عروض الصيدلية.png"
# By shortcut; what is not here has none
CATEGORIES = {
	"سلام": "ترحيب",
	"شكرا": "ترحيب",
	"متوفر": "أصناف",
	"ناقص": "أصناف",
	"روشتة": "أصناف",
	"عنوان": "توصيل",
	"توصيل": "توصيل",
	"مواعيد": "الفروع",
	"عروض": "عروض",
	"hello": "ترحيب",
	"delivery": "توصيل",
	"hours": "الفروع",
}
WITH_PICTURE = "عروض"
READY = TemplateDraft(
	"order_ready",
	"ar",
	"UTILITY",
	header_kind="TEXT",
	header="طلبك جاهز",
	body="أهلًا {{1}}، طلبك رقم {{2}} جاهز للاستلام من {{3}} حتى منتصف الليل.",
	footer="صيدليات خليفة",
	buttons=(Button("PHONE_NUMBER", "اتصل بالفرع", "+201055500011"), Button("QUICK_REPLY", "تمام")),
	examples={"body.1": "منى", "body.2": "1042", "body.3": "صيدلية الجلاء"},
)
OFFER = TemplateDraft(
	"weekly_offer",
	"ar",
	"MARKETING",
	header_kind="IMAGE",
	body="أهلًا {{1}}، خصم {{2}}٪ على منتجات العناية هذا الأسبوع في كل فروعنا.",
	footer="لإيقاف العروض أرسل: إيقاف",
	buttons=(Button("QUICK_REPLY", "إيقاف العروض"), Button("COPY_CODE")),
	examples={"body.1": "منى", "body.2": "15", "1.coupon_code": "CARE15"},
)
REFILL = TemplateDraft(
	"refill_reminder",
	"ar",
	"UTILITY",
	"NAMED",
	body="أهلًا {{customer}}، موعد تجديد علاجك {{date}}. نجهّزه لك؟",
	buttons=(Button("QUICK_REPLY", "جهّزوه"), Button("QUICK_REPLY", "ليس الآن")),
	examples={"body.customer": "منى", "body.date": "31/12/2026"},
)
ENGLISH = TemplateDraft(
	"order_ready",
	"en",
	"UTILITY",
	body="Hello {{1}}, your order {{2}} is ready at {{3}} until midnight.",
	footer="Khalifa Pharmacies",
	examples={"body.1": "Mona", "body.2": "1042", "body.3": "El Galaa"},
)
DRAFT = TemplateDraft(
	"branch_moved",
	"ar",
	"UTILITY",
	header_kind="TEXT",
	header="فرعنا انتقل",
	body="أهلًا {{1}}، فرع {{2}} في مكانه الجديد من يوم السبت.",
	examples={"body.1": "منى", "body.2": "الجلاء"},
)
# With status, quality, and why it was rejected
SUBMITTED = (
	(READY, "APPROVED", "GREEN", ""),
	(OFFER, "APPROVED", "YELLOW", ""),
	(REFILL, "APPROVED", "GREEN", ""),
	(ENGLISH, "PENDING", "", ""),
	(
		TemplateDraft("win_prize", "ar", "MARKETING", body="مبروك! ربحت هدية. اتصل بنا الآن."),
		"REJECTED",
		"",
		"ABUSIVE_CONTENT",
	),
)
KINDS = {"body.2": "number"}


def add() -> None:
	"""Put all of it on the site; a shortcut that the company has itself stays the company's."""
	for shortcut, title, body in company.QUICK_REPLIES:
		if not frappe.db.exists(REPLY, {"shortcut": shortcut, "agent": ("is", "not set")}):
			_add_reply(shortcut, title, body)
	store_templates(company.DEVICE, [_info(number, *one) for number, one in enumerate(SUBMITTED)])
	offer = {"device": company.DEVICE, "template_name": OFFER.name}
	_complete(frappe.get_doc(TEMPLATE, offer), KINDS)
	_add_draft()


def _add_reply(shortcut: str, title: str, body: str) -> None:
	doc = frappe.get_doc(
		{
			"doctype": REPLY,
			"shortcut": shortcut,
			"title": title,
			"body": body,
			"category": CATEGORIES.get(shortcut),
			"language": language_of(body),
			"enabled": 1,
		}
	).insert(ignore_permissions=True)
	if shortcut == WITH_PICTURE:
		doc.db_set("attachment", _keep_picture(REPLY, doc.name, "attachment"))
	doc.db_set("owner", company.OWNER, update_modified=False)


def _info(number: int, draft: TemplateDraft, status: str, quality: str, reason: str) -> TemplateInfo:
	return TemplateInfo(
		template_id=f"demo-{number + 1}",
		name=draft.name,
		language=draft.language,
		status=status,
		category=draft.category,
		parameter_format=draft.parameter_format,
		components=tuple(components_of(draft, "demo")),
		quality=quality,
		rejected_reason=reason,
	)


def _complete(doc: Any, kinds: dict[str, str]) -> None:
	"""What only people add: the header's file, and of which kind values are."""
	doc.header_file = _keep_picture(TEMPLATE, doc.name, "header_file")
	doc.update({"template_values": form_of(doc.draft(), kinds)["template_values"]})
	doc.flags.by_use_case = True
	doc.save(ignore_permissions=True)


def _add_draft() -> None:
	identity = {
		"doctype": TEMPLATE,
		"device": company.DEVICE,
		"template_name": DRAFT.name,
		"language": DRAFT.language,
		"category": DRAFT.category,
	}
	doc = frappe.get_doc({**identity, **form_of(DRAFT, {})})
	doc.insert(ignore_permissions=True)


def _keep_picture(doctype: str, name: str, fieldname: str) -> str:
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": PICTURE,
			"is_private": 1,
			"content": picture.png(),
			"attached_to_doctype": doctype,
			"attached_to_name": name,
			"attached_to_field": fieldname,
		}
	)
	file.insert(ignore_permissions=True)
	return str(file.file_url)
