"""What somebody could write who wants his words to run: in every text field of the app, through the app's own doors."""

from __future__ import annotations

import itertools
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records as r
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import alerts, intake
from khalifa_whatsapp.services import delays
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MINUTE, MONA
from khalifa_whatsapp.tests.desk import DeskCase

SUM = "7*31337"  # a template that is filled in shows 219359
PAYLOADS = (
	"<script class=k31>window.hacked=1</script>",
	"</script><script class=k31>window.hacked=2</script>",
	"<img class=k31 src=//k31.test onerror=window.hacked=3>",
	'"><img class=k31 src=//k31.test onerror=window.hacked=4>',
	"'><svg class=k31 onload=window.hacked=5>",
	"<svg/onload=window.hacked=6 class=k31>",
	'" onmouseover=window.hacked=7 onfocus=window.hacked=7 autofocus x="',
	"' onfocus='window.hacked=8' autofocus x='",
	"x onerror=window.hacked=9 onload=window.hacked=9",
	"<a class=k31 href=javascript:window.hacked=10>x</a>",
	"[x](javascript:window.hacked=11)",
	'![x](//k31.test"onerror="window.hacked=12)',
	"javascript:window.hacked=13",
	'https://k31.test/"onclick="window.hacked=14',
	f"{{{{{SUM}}}}} ${{{SUM}}} {{% print({SUM}) %}} #{{{SUM}}} <%= {SUM} %> hacked=15",
	"<iframe class=k31 srcdoc='<script>parent.hacked=16</script>'></iframe>",
	"<details class=k31 open ontoggle=window.hacked=17>",
	"</textarea></title></style>--><img class=k31 src=//k31.test onerror=window.hacked=18>",
	"&lt;img class=k31 src=//k31.test onerror=window.hacked=19&gt;",
	"\\u003cimg class=k31 src=//k31.test onerror=window.hacked=20\\u003e",
	"%3Cimg%20class=k31%20src=//k31.test%20onerror=window.hacked=21%3E",
	"<base class=k31 href=//k31.test><style class=k31>@import'//k31.test?hacked=22'</style>",
	"`-window.hacked=23-`';window.hacked=23//\";window.hacked=23//",
	"<form class=k31 action=javascript:window.hacked=24><input class=k31 autofocus onfocus=window.hacked=24>",
)
NAMES = PAYLOADS[2:9]  # of employees, branches, devices: few are enough, and each is a record


class HostileCase(DeskCase):
	"""A site on which everybody writes such things."""

	def fill(self) -> None:
		self.forget()
		self.addCleanup(self.forget)
		self.name_people()
		self.tickets = [self.speak(number, text) for number, text in enumerate(PAYLOADS)]
		self.chat(self.tickets[0])
		self.online(self.mona)
		for ticket, text in zip(self.tickets, PAYLOADS, strict=True):
			self.handle(ticket, text)
		self.object_to_delays()
		self.write_as_machines()
		batch = self.done(HUDA, "close_all_start", reason=PAYLOADS[3], names=self.tickets[-2:])
		self.assertEqual(batch["total"], 2)
		frappe.db.commit()

	def forget(self) -> None:
		"""What no other test looks at, and would stay."""
		for doctype in ("Khalifa Reply Template", "Tag Link"):
			frappe.db.delete(doctype)
		frappe.db.delete("Tag", {"name": ("like", "%hacked%")})
		frappe.db.delete("Notification Log", {"for_user": HUDA})
		frappe.db.commit()

	def name_people(self) -> None:
		names = [self.save("Khalifa Branch", branch_name=text, address=text) for text in NAMES]
		for agent, text, branch in ((self.mona, NAMES[1], names[0]), (self.ali, NAMES[4], names[-1])):
			doc = frappe.get_doc("Khalifa Agent", agent)
			doc.update({"employee_name": text, "branch": branch, "capacity": 900})
			doc.save()
		for number, text in enumerate(PAYLOADS):
			self.save("Khalifa Reply Template", shortcut=f"s{number}", title=f"hacked {text}", body=f"hacked {text}")
		frappe.db.commit()

	def save(self, doctype: str, **values: Any) -> str:
		"""As a manager does it in Desk: whatever Frappe makes of the text."""
		return frappe.get_doc({"doctype": doctype, **values}).insert(ignore_if_duplicate=True).name

	def speak(self, number: int, text: str) -> str:
		"""A customer who is called so writes so; the ticket comes back."""
		phone = f"+2010012340{number:02}"
		self.receive(message_item(phone, text, f"x{number}", now_ms(), text))
		return self.only(r.Ticket, customer=self.only(r.Customer, phone=phone).name).name

	def chat(self, ticket: str) -> None:
		"""All of it in one conversation, with reactions and edits."""
		items = [message_item("+201001234000", text, f"y{number}", now_ms(), "x") for number, text in enumerate(PAYLOADS)]
		react = {"type": "reaction", "id": "x0", "from": "+201001234000", "emoji": PAYLOADS[2], "at_ms": now_ms()}
		edit = {"type": "edit", "id": "y1", "text": PAYLOADS[3], "at_ms": now_ms()}
		self.receive(*items, react, edit)

	def receive(self, *items: dict[str, Any]) -> None:
		self.assertEqual(self.deliver(*items).status, 200)
		with self.quiet():
			intake.run(DEVICE)

	def handle(self, ticket: str, text: str) -> None:
		"""What colleagues write about it."""
		self.done(HUDA, "note", ticket=ticket, body=text)
		self.done(HUDA, "reply", ticket=ticket, body=text, client_key=self.key(), take_over=True)
		for to in (self.ali, self.mona):
			frappe.db.set_value("Khalifa Agent", to, "presence", "Online")
			frappe.db.commit()
			if self.ticket(ticket).agent != to:
				self.done(HUDA, "transfer", ticket=ticket, reason=text, to_agent=to)
		for method, given in (("add_tag", {"tag": text[:60]}), ("save_customer_notes", {"notes": text})):
			answer = self.as_(HUDA).call(f"khalifa_whatsapp.api.inbox.{method}", ticket=ticket, **given)
			self.assertEqual(answer.status, 200, answer.text)

	def write_as_machines(self) -> None:
		"""What gateways say, in words that no door of ours checks."""
		for name, text in zip(sorted(m.name for m in self.all(r.Message)), itertools.cycle(PAYLOADS), strict=False):
			values = {"file_name": text[:140], "error_text": text, "error_code": text[:140], "media_error": text[:140]}
			frappe.db.set_value("Khalifa Message", name, values, update_modified=False)
		kinds = itertools.cycle(("document", "image", "location", "contacts"))
		incoming = self.all(r.Message, ticket=self.tickets[0], direction=r.INCOMING)
		for message, kind, text in zip(incoming, kinds, PAYLOADS, strict=False):
			data = {"location": {"name": text, "latitude": text, "longitude": text}, "contacts": [{"name": text, "phone": text}]}
			state = {"content_type": kind, "data": frappe.as_json(data), "media_state": "Failed", "media_id": "m"}
			frappe.db.set_value("Khalifa Message", message.name, state, update_modified=False)
		frappe.db.set_value("Khalifa Message", {"direction": "Outgoing"}, "status", "Failed", update_modified=False)
		frappe.db.commit()
		for text in NAMES:
			alerts.alert_managers(DEVICE, text)

	def object_to_delays(self) -> None:
		self.receive(*(message_item(f"+2010012340{n:02}", "again", f"z{n}", now_ms(), "x") for n in range(len(PAYLOADS))))
		delays.scan(on_site(), now_ms() + 60 * MINUTE)
		frappe.db.sql("UPDATE `tabKhalifa Ticket` SET response_by_ms = 1 WHERE waiting_since_ms > 0")  # late
		frappe.db.commit()
		found = self.all(r.DelayEvent)
		self.assertGreaterEqual(len(found), len(PAYLOADS))
		for delay, text in zip(found, itertools.cycle(PAYLOADS), strict=False):
			values = {"objection": text, "decision": text, "objection_status": "Open", "objected_by": MONA, "decided_by": ALI}
			frappe.db.set_value("Khalifa Delay Event", delay.name, values, update_modified=False)
