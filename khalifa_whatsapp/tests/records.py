"""Rows for tests, written straight to the tables as a store does, so that a test needs no use case."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import frappe

from khalifa_whatsapp.bootstrap import now_ms
from khalifa_whatsapp.core.records import (
	CLOSED,
	CUSTOMER,
	INCOMING,
	OPEN,
	QUEUED,
	RECEIVED,
	Customer,
	Message,
	Ticket,
	TicketEvent,
)
from khalifa_whatsapp.drivers.base import DeviceConfig
from khalifa_whatsapp.guards import AGENT_ROLE, MANAGER_ROLE, forget_actors

NOW_MS = 1_795_000_000_000


def insert(record: Any) -> str:
	"""Write a record to its DocType's table; NULL is 0 where Frappe's column can't be NULL."""
	meta = frappe.get_meta(record.DOCTYPE)
	row = {"owner": "Administrator", "creation": frappe.utils.now(), "modified": frappe.utils.now()}
	for fieldname, value in asdict(record).items():
		df = meta.get_field(fieldname)
		row[fieldname] = 0 if value is None and df and df.fieldtype in ("Int", "Check", "Float") else value
	frappe.db.bulk_insert(record.DOCTYPE, list(row), [list(row.values())])
	return record.name


def insert_incoming(name: str, content_type: str = "text", **more: Any) -> str:
	"""A customer's message of now, of a conversation that need not be there."""
	now = now_ms()
	return insert(
		Message(name, "KT-1", "C-1", "Loop", INCOMING, CUSTOMER, content_type, RECEIVED, now, now, **more)
	)


def make_cloud_device(device_name: str, config: DeviceConfig, **more: Any) -> None:
	"""An enabled device that talks to the simulator with these settings."""
	frappe.get_doc(
		doctype="WhatsApp Device",
		device_name=device_name,
		provider="cloud_api",
		enabled=1,
		base_url=config.base_url,
		api_version=config.api_version,
		phone_number_id=config.phone_number_id,
		business_account_id=config.business_account_id,
		access_token=config.access_token,
		app_secret=config.app_secrets[0],
		verify_token="v",
		**more,
	).insert(ignore_permissions=True)
	frappe.db.commit()


def make_user(email: str, first_name: str, *roles: str) -> str:
	if frappe.db.exists("User", email):
		add_roles(email, *roles)
		return email
	user = frappe.get_doc(
		{"doctype": "User", "email": email, "first_name": first_name, "send_welcome_email": 0}
	)
	user.append_roles(*roles)
	user.insert(ignore_permissions=True)
	return email


def add_roles(email: str, *roles: str) -> None:
	"""As `User.add_roles`, by rows: to save a user empties the site's whole cache, and with it all metas."""
	user = frappe.get_doc("User", email)
	user.append_roles(*roles)
	for row in user.roles:
		if not row.name:
			row.db_insert()
	user.set_system_user()
	frappe.db.set_value("User", email, "user_type", user.user_type)
	frappe.clear_cache(user=email)


def make_branch(branch_name: str) -> str:
	if not frappe.db.exists("Khalifa Branch", branch_name):
		frappe.get_doc({"doctype": "Khalifa Branch", "branch_name": branch_name}).insert()
	return branch_name


def make_agent(email: str, employee_name: str, branch: str | None = None) -> str:
	make_user(email, employee_name, AGENT_ROLE)
	if name := frappe.db.get_value("Khalifa Agent", {"user": email}):
		return name
	agent = frappe.get_doc(
		{"doctype": "Khalifa Agent", "user": email, "employee_name": employee_name, "branch": branch}
	)
	forget_actors()
	return agent.insert().name


def make_manager(email: str) -> str:
	return make_user(email, "Manager", MANAGER_ROLE)


def make_device(device_name: str = "Test Device") -> str:
	if not frappe.db.exists("WhatsApp Device", device_name):
		frappe.get_doc(
			{"doctype": "WhatsApp Device", "device_name": device_name, "provider": "loopback"}
		).insert()
	return device_name


def make_conversation(name: str, agent: str | None, text: str, **ticket: Any) -> str:
	"""A customer, a ticket, its first event and one message, all called after `name`."""
	status = ticket.pop("status", OPEN if agent else QUEUED)
	device = make_device()
	customer = insert(Customer(f"C-{name}", customer_name=f"Customer {name}", created_ms=NOW_MS))
	insert(
		Ticket(
			name,
			customer,
			device,
			status=status,
			agent=agent,
			open_key=None if status == CLOSED else frappe.generate_hash(length=64),
			customer_name=f"Customer {name}",
			opened_ms=NOW_MS,
			**ticket,
		)
	)
	insert(TicketEvent(f"E-{name}", name, "created", NOW_MS))
	insert(make_message(name, text))
	return name


def make_message(ticket: str, text: str) -> Message:
	return Message(
		f"M-{ticket}",
		ticket,
		f"C-{ticket}",
		make_device(),
		"Incoming",
		"Customer",
		"text",
		"Received",
		NOW_MS,
		NOW_MS,
		message_key=frappe.generate_hash(length=64),
		body=text,
	)
