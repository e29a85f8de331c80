"""Call the site as a client does, but in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from frappe.handler import execute_cmd
from frappe.utils import set_request

from khalifa_whatsapp.guards import forget_actors


@contextmanager
def signed_in(user: str) -> Iterator[None]:
	before = frappe.session.user
	frappe.set_user(user)
	forget_actors()
	try:
		yield
	finally:
		frappe.set_user(before)
		forget_actors()


def call(method: str, **arguments: Any) -> Any:
	"""What `/api/method/<method>` answers, overrides and all."""
	set_request(method="POST", path=f"/api/method/{method}")
	given = {
		key: json.dumps(value) if isinstance(value, dict | list) else value
		for key, value in arguments.items()
	}
	frappe.local.form_dict = frappe._dict(given)
	return execute_cmd(method)
