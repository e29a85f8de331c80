"""The body of `bench --site … khalifa-demo`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import frappe
from frappe import _

from khalifa_whatsapp.demo import site

TEN = 10


def run(name: str, order: site.Order, is_removal: bool) -> None:
	"""Build the demonstration on a site, or take it away, and say what was done."""
	with _connected(name):
		began = time.monotonic()
		try:
			said = _remove() if is_removal else _build(order)
		except site.DemoRefused as refusal:
			raise click.ClickException(str(refusal)) from refusal
		click.echo(_("{0} It took {1} seconds.").format(said, round(time.monotonic() - began)))


@contextmanager
def _connected(name: str) -> Iterator[None]:
	frappe.init(site=name)
	frappe.connect()
	try:
		yield
	finally:
		frappe.destroy()


def _build(order: site.Order) -> str:
	counts = site.build(order, _Progress().report_progress)
	if not counts:
		return _("The demonstration is there already; --remove takes it away.")
	for doctype, count in counts.items():
		click.echo(f"{count:>8}  {_(doctype)}")
	return _("The demonstration is ready.")


def _remove() -> str:
	for doctype, names in site.remove().items():
		text = _("{0} kept, for records of others name them: {1}")
		click.echo(text.format(_(doctype), ", ".join(names)))
	return _("The demonstration is gone.")


class _Progress:
	"""A line at each tenth of a phase."""

	def __init__(self) -> None:
		self._said: tuple[str, int] = ("", -1)

	def report_progress(self, phase: str, share: float) -> None:
		step = (phase, int(share * TEN))
		if step != self._said:
			self._said = step
			click.echo(f"{_phases()[phase]} … {step[1] * TEN} %")


def _phases() -> dict[str, str]:
	return {"play": _("Playing the month"), "store": _("Storing it"), "figures": _("Adding up the figures")}
