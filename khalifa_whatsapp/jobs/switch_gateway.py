"""Moving a device from one gateway to another: looked at first, written down, and undone when it was a
mistake.

A conversation belongs to its device and not to a gateway, so changing the gateway of a device moves nothing
but one field. When the new gateway is another device, its open conversations and what still waits to be sent
go along. Every message keeps the gateway that carried it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import frappe

from khalifa_whatsapp import site_audit
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import audit
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.keys import open_key
from khalifa_whatsapp.drivers.base import SendError
from khalifa_whatsapp.drivers.factory import DRIVERS
from khalifa_whatsapp.site_devices import driver_for, forget_devices

LOCK_SECONDS = 90  # a message that is just being sent ends before the gateway changes
DEVICE, TICKET, MESSAGE = "WhatsApp Device", "Khalifa Ticket", "Khalifa Message"


@dataclass(slots=True)
class Plan:
	"""What a switch would do, or did. Names and counts only: no secret, no customer's words."""

	device: str
	source: str  # provider before
	provider: str  # provider after
	target: str  # the device that carries on: the same one, or another
	state: str = ""  # what the new gateway says of itself
	problem: str = ""  # why it can't be used now
	tickets: list[str] = field(default_factory=list)  # open conversations that move
	# stay: their customer has an open one on the target already
	left: list[str] = field(default_factory=list)
	queued: list[str] = field(default_factory=list)  # messages that still wait
	doubtful: int = 0  # stay with a person: the new gateway can't know of them
	made_ms: int = 0


def plan(device: str, to: str) -> Plan:
	"""What switching would do, with the new gateway asked whether it is there."""
	row = _device(device)
	planned = _plan_for(device, row.provider, to)
	planned.state, planned.problem = _ask(planned.target, planned.provider)
	open_tickets = {"device": device, "open_key": ("is", "set")}
	if planned.target != device:
		taken = set(
			frappe.get_all(TICKET, {"device": planned.target, "open_key": ("is", "set")}, pluck="customer")
		)
		for name, customer in frappe.get_all(TICKET, open_tickets, ["name", "customer"], as_list=True):
			(planned.left if customer in taken else planned.tickets).append(name)
	else:
		planned.tickets = frappe.get_all(TICKET, open_tickets, pluck="name")
	waiting = {"device": device, "status": "Queued", "ticket": ("in", planned.tickets or [""])}
	planned.queued = frappe.get_all(MESSAGE, waiting, pluck="name")
	planned.doubtful = frappe.db.count(MESSAGE, {"device": device, "status": ("in", ("Unknown", "Sending"))})
	return planned


def switch(planned: Plan) -> Path:
	"""Do it, after writing down how to undo it. Where that was written."""
	if planned.problem:
		raise UserError(
			"gateway_problem", "The new gateway can't be used: {problem}", problem=planned.problem
		)
	with on_site().lock(f"out:{planned.device}", LOCK_SECONDS) as is_ours:
		if not is_ours:
			raise UserError("device_sending", "The device is sending just now. Try again in a minute.")
		planned.made_ms = now_ms()
		path = _write_down(planned)
		site_audit.note(
			audit.DEVICE,
			audit.SWITCHED,
			document_type=DEVICE,
			document=planned.device,
			title=planned.device,
			values={"from": planned.source, "to": planned.provider, "device": planned.target},
		)
		_apply(planned, planned.device, planned.target, planned.provider)
	return path


def roll_back(device: str) -> Plan:
	"""Undo the last switch of a device. What arrived meanwhile on the other device stays there."""
	paths = sorted(_folder().glob(f"{_stem(device)}-*.json"))
	if not paths:
		raise UserError("nothing_to_undo", "No switch of {device} is written down here.", device=device)
	done = Plan(**json.loads(paths[-1].read_text(encoding="utf-8")))
	with on_site().lock(f"out:{done.target}", LOCK_SECONDS) as is_ours:
		if not is_ours:
			raise UserError("device_sending", "The device is sending just now. Try again in a minute.")
		_apply(done, done.target, done.device, done.source)
	paths[-1].rename(paths[-1].with_suffix(".undone"))
	return done


def _plan_for(device: str, source: str, to: str) -> Plan:
	if to in DRIVERS:
		if to == source:
			raise UserError("same_gateway", "{device} uses {gateway} already.", device=device, gateway=to)
		return Plan(device, source, to, device)
	if to == device or not frappe.db.exists(DEVICE, to):
		raise UserError(
			"no_such_gateway",
			"{to} is neither a gateway ({gateways}) nor another device.",
			to=to,
			gateways=", ".join(sorted(DRIVERS)),
		)
	return Plan(device, source, _device(to).provider, to)


def _device(name: str) -> Any:
	row = frappe.db.get_value(DEVICE, name, ["name", "provider", "enabled"], as_dict=True)
	if row is None:
		raise UserError("no_such_device", "There is no device {device}.", device=name)
	return row


def _ask(target: str, provider: str) -> tuple[str, str]:
	"""What the new gateway says of the number, and what stands in the way of using it."""
	doc = frappe.get_doc(DEVICE, target)
	doc.provider, doc.enabled = provider, 1
	try:
		doc.validate_provider_fields()
		driver = driver_for(target, provider)
		if driver.capabilities.has_browser:
			return "unknown", ""  # only the process that owns the browser can tell
		state = driver.get_status().state
	except SendError as error:
		return "", error.text
	except frappe.ValidationError as error:
		frappe.clear_messages()
		return "", str(error)
	waits_for_login = state != "connected" and not driver.capabilities.has_qr
	return state, f"it says it is {state}" if waits_for_login else ""


def _apply(planned: Plan, source: str, target: str, provider: str) -> None:
	if source == target:
		frappe.db.set_value(DEVICE, target, {"provider": provider, **_FRESH})
	else:
		_move(planned, source, target)
	frappe.db.commit()
	forget_devices()


_FRESH = {
	"state": "Unknown",
	"state_detail": "",
	"breaker_state": "Closed",
	"breaker_failures": 0,
	"breaker_until_ms": 0,
	"breaker_reason": "",
}


def _move(planned: Plan, source: str, target: str) -> None:
	"""Open conversations change their device;
	a customer who has one there meanwhile keeps both where they are.
	"""
	tickets = frappe.get_all(
		TICKET,
		{"name": ("in", planned.tickets or [""]), "device": source, "open_key": ("is", "set")},
		["name", "customer"],
	)
	taken = set(frappe.get_all(TICKET, {"device": target, "open_key": ("is", "set")}, pluck="customer"))
	for row in tickets:
		if row.customer not in taken:
			frappe.db.set_value(
				TICKET,
				row.name,
				{"device": target, "open_key": open_key(row.customer, target)},
				update_modified=False,
			)
	moved = [row.name for row in tickets if row.customer not in taken]
	if moved:
		waiting = {"ticket": ("in", moved), "status": "Queued", "device": source}
		frappe.db.set_value(MESSAGE, waiting, "device", target, update_modified=False)


def _write_down(planned: Plan) -> Path:
	folder = _folder()
	folder.mkdir(mode=0o700, parents=True, exist_ok=True)
	path = folder / f"{_stem(planned.device)}-{planned.made_ms}.json"
	path.write_text(json.dumps(asdict(planned), ensure_ascii=False, indent=1), encoding="utf-8")
	path.chmod(0o600)
	return path


def _folder() -> Path:
	return Path(frappe.get_site_path("private", "khalifa_switches")).resolve()


def _stem(device: str) -> str:
	return frappe.scrub("".join(char if char.isalnum() else "_" for char in device))
