"""What somebody could write who wants his words to run: in every text field of the app,
through the app's own endpoints.
"""

from __future__ import annotations

import itertools
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import records
from khalifa_whatsapp.drivers.loopback import message_item
from khalifa_whatsapp.jobs import alerts, intake
from khalifa_whatsapp.services.tickets import delays
from khalifa_whatsapp.tests.case import ALI, DEVICE, HUDA, MINUTE, MONA
from khalifa_whatsapp.tests.desk import DeskCase
from khalifa_whatsapp.tests.pages import PageCase
from khalifa_whatsapp.tests.records import insert

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
	# JSON, and so nothing for Frappe's sanitiser
	'"<img class=k31 src=//k31.test onerror=window.hacked=25>"',
)
NAMES = PAYLOADS[2:9]  # of employees, branches, devices: few are enough, and each is a record
# Frappe gives no record any other name
RECORDS = tuple(text for text in PAYLOADS if not set("<>") & set(text))

# Before any script of a page: what runs is remembered, also over the next page
ALARM = """Object.defineProperty(window, 'hacked', {get: () => localStorage.getItem('hacked') || undefined,
	set: value => localStorage.setItem('hacked', value)});
for (const name of ['alert', 'confirm', 'prompt'])
	window[name] = text => localStorage.setItem('hacked', name + ' ' + text);"""
# Elements that came to be out of somebody's words, and places in which such words would run
TRACES = """const kinds = 'script img[onerror] iframe svg[onload] style base form[action] a[href]'.split(' ')
	.map(kind => kind.replace(/^\\w+/, '$&.k31'));
const elements = [...document.querySelectorAll(kinds)];
const runs = /^\\s*(javascript|data|vbscript):/i,
	links = /^(href|src|srcdoc|action|formaction|data|xlink:href)$/i;
for (const element of document.querySelectorAll('*')) {
	if (element.tagName === 'SCRIPT'
		&& /^\\W*(window|parent|top)\\.hacked/.test(element.textContent)) elements.push(element);
	for (const {name, value} of element.attributes) {
		if (!value.includes('hacked')) continue;
		if (/^on/i.test(name) || name === 'srcdoc' || (links.test(name)
			&& runs.test(value))) elements.push(element);
	}
}
const filled = document.body.innerText.includes('219359') ? ['a template was filled in'] : [];
return [...elements.map(element => element.outerHTML.slice(0, 300)), ...filled,
	...(window.hacked ? ['ran: ' + window.hacked] : [])];"""
SHOWN = """const fields = [...document.querySelectorAll('input, textarea')]
	.filter(field => field.offsetParent);
return document.body.innerText.includes('hacked') || fields.some(field => field.value.includes('hacked'));"""


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

	def plant(self) -> None:
		"""The same in the database itself, as if nothing had been cleaned when it was written."""
		self.forget()
		self.addCleanup(self.forget)
		for number, text in enumerate(PAYLOADS):
			self.plant_conversation(number, text)
			self.plant_row(
				"Khalifa Agent",
				number,
				employee_name=text,
				branch=text,
				enabled=1,
				presence="Online",
				capacity=900,
			)
			reply = {"shortcut": f"s{number}", "title": text, "body": text, "category": text[:60]}
			self.plant_row("Khalifa Reply Template", number, **reply)
			self.plant_row("Khalifa Provider Template", number, template_name=text, status="APPROVED")
		for text in RECORDS:
			self.plant_row("Khalifa Branch", text, branch_name=text, address=text)
			self.plant_row("WhatsApp Device", text, device_name=text, provider="loopback")
			self.plant_row("Tag", text)
		frappe.db.commit()

	def plant_conversation(self, number: int, text: str) -> None:
		now, key = now_ms(), f"92{number:04}"
		insert(records.Customer(f"KC-{key}", customer_name=text, created_ms=now))
		insert(
			records.Ticket(
				f"KT-{key}",
				f"KC-{key}",
				DEVICE,
				status=records.OPEN,
				customer_name=text,
				preview=text,
				agent=self.mona,
				agent_name=text,
				branch=text,
				opened_ms=now,
				open_key=frappe.generate_hash(length=64),
			)
		)
		insert(records.CloseBatch(f"KB-{key}", text, "{}", HUDA, text, now))

	def plant_row(self, doctype: str, key: int | str, **values: Any) -> None:
		name = f"92{key:04}" if isinstance(key, int) else key
		frappe.db.delete(doctype, {"name": name})
		frappe.db.bulk_insert(doctype, ["name", *values], [[name, *values.values()]])

	def forget(self) -> None:
		"""What no other test looks at, and would stay."""
		for doctype in ("Khalifa Reply Template", "Tag Link"):
			frappe.db.delete(doctype)
		for doctype in ("Tag", "Khalifa Branch", "WhatsApp Device"):
			frappe.db.delete(doctype, {"name": ("like", "%hacked%")})
		for agent, name, branch in (
			(self.mona, "Mona Adel", self.north),
			(self.ali, "Ali Hassan", self.south),
		):
			frappe.db.set_value("Khalifa Agent", agent, {"employee_name": name, "branch": branch})
		for doctype in ("Khalifa Agent", "Khalifa Provider Template"):
			frappe.db.delete(doctype, {"name": ("like", "92____")})
		frappe.db.delete("Notification Log", {"for_user": HUDA})
		frappe.db.commit()

	def name_people(self) -> None:
		names = [self.save("Khalifa Branch", branch_name=text, address=text) for text in NAMES]
		for agent, text, branch in ((self.mona, NAMES[1], names[0]), (self.ali, NAMES[4], names[-1])):
			doc = frappe.get_doc("Khalifa Agent", agent)
			doc.update({"employee_name": text, "branch": branch, "capacity": 900})
			doc.save()
		for number, text in enumerate(PAYLOADS):
			title = f"hacked {text}"
			self.save("Khalifa Reply Template", shortcut=f"s{number}", title=title, body=text, category=title)
		frappe.db.commit()

	def save(self, doctype: str, **values: Any) -> str:
		"""As a manager does it in Desk: whatever Frappe makes of the text."""
		return frappe.get_doc({"doctype": doctype, **values}).insert(ignore_if_duplicate=True).name

	def speak(self, number: int, text: str) -> str:
		"""A customer who is called so writes so; the ticket comes back."""
		phone = f"+2010012340{number:02}"
		self.receive(message_item(phone, text, f"x{number}", now_ms(), text))
		return self.only(records.Ticket, customer=self.only(records.Customer, phone=phone).name).name

	def chat(self, ticket: str) -> None:
		"""All of it in one conversation, with reactions and edits."""
		items = [
			message_item("+201001234000", text, f"y{number}", now_ms(), text)
			for number, text in enumerate(PAYLOADS)
		]
		react = {
			"type": "reaction",
			"id": "x0",
			"from": "+201001234000",
			"emoji": PAYLOADS[2],
			"at_ms": now_ms(),
		}
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
		"""What gateways say, in words that no endpoint of ours checks."""
		for name, text in zip(
			sorted(m.name for m in self.all(records.Message)), itertools.cycle(PAYLOADS), strict=False
		):
			values = {
				"file_name": text[:140],
				"error_text": text,
				"error_code": text[:140],
				"media_error": text[:140],
			}
			frappe.db.set_value("Khalifa Message", name, values, update_modified=False)
		kinds = itertools.cycle(("document", "image", "location", "contacts"))
		incoming = self.all(records.Message, ticket=self.tickets[0], direction=records.INCOMING)
		for message, kind, text in zip(incoming, kinds, PAYLOADS, strict=False):
			data = {
				"location": {"name": text, "latitude": text, "longitude": text},
				"contacts": [{"name": text, "phone": text}],
			}
			state = {
				"content_type": kind,
				"data": frappe.as_json(data),
				"media_state": "Failed",
				"media_id": "m",
			}
			frappe.db.set_value("Khalifa Message", message.name, state, update_modified=False)
		frappe.db.set_value(
			"Khalifa Message", {"direction": "Outgoing"}, "status", "Failed", update_modified=False
		)
		frappe.db.commit()
		for text in NAMES:
			alerts.alert_managers(DEVICE, text)

	def object_to_delays(self) -> None:
		again = enumerate(PAYLOADS)
		self.receive(
			*(message_item(f"+2010012340{n:02}", text, f"z{n}", now_ms(), text) for n, text in again)
		)
		delays.scan(on_site(), now_ms() + 60 * MINUTE)
		frappe.db.sql("UPDATE `tabKhalifa Ticket` SET due_by_ms = 1 WHERE waiting_since_ms > 0")  # late
		frappe.db.commit()
		events = self.all(records.DelayEvent)
		self.assertGreaterEqual(len(events), len(PAYLOADS))
		for delay, text in zip(events, itertools.cycle(PAYLOADS), strict=False):
			values = {
				"objection": text,
				"decision": text,
				"objection_status": "Open",
				"objected_by": MONA,
				"decided_by": ALI,
			}
			frappe.db.set_value("Khalifa Delay Event", delay.name, values, update_modified=False)


class WatchedCase(PageCase, HostileCase):
	"""And a browser that remembers whatever ran in it."""

	@classmethod
	def open_browser(cls) -> Any:
		browser = super().open_browser()
		browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ALARM})
		return browser

	def setUp(self) -> None:
		super().setUp()
		self.known: set[str] = set()

	def traces(self) -> list[str]:
		said = [line["message"] for line in self.browser.get_log("browser") if line["level"] == "SEVERE"]
		return [*self.js(TRACES), *(line for line in said if "hacked" in line)]

	def check(self, screen: str, is_shown: bool = True) -> None:
		with self.subTest(screen):
			if is_shown:
				self.until(lambda: self.js(SHOWN), f"such words on {screen}", 10)
			# earlier pages stay in the document
			fresh = [trace for trace in self.traces() if trace not in self.known]
			self.known.update(fresh)
			self.assertEqual(fresh, [], screen)


def doctypes_of_ours() -> list[str]:
	filters = {"module": "Khalifa WhatsApp", "istable": 0, "issingle": 0}
	names = frappe.get_all("DocType", filters, pluck="name", order_by="name")
	return [name for name in names if frappe.has_permission(name, "read", user=HUDA)]
