"""Where a caller is: the address behind our own proxy."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

import frappe


def address() -> str:
	"""The caller's address. What the headers say is believed only of our own proxy, and of it only its own
	word.

	The proxy is on this host, or its address is in the site's `khalifa_trusted_proxies`.
	"""
	request = frappe.request
	peer = request.remote_addr or ""
	forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
	trusted = ("127.0.0.1", "::1", *(frappe.conf.khalifa_trusted_proxies or ()))
	return forwarded if forwarded and peer in trusted else peer


def is_among(caller: str, networks: Iterable[str]) -> bool:
	"""Whether an address is one of these, or lies in one of these networks. A line that can't be read is
	nobody's.
	"""
	try:
		given = ip_address(caller)
	except ValueError:  # a caller may write anything into a header
		return False
	return any(given in network for line in networks if (network := _network(line)) is not None)


def _network(line: str):  # type: ignore[no-untyped-def]
	try:
		return ip_network(line, strict=False)
	except ValueError:
		return None
