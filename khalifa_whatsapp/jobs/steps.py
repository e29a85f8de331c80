"""Background work step by step, device by device: each fails by itself, and what failed is known until it
works again.

Whatever fails is described by kind and place (`core.errors.describe`). No exception with our variables may
get to Frappe, which prints them all, and with them customers' words, into its logs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import frappe
from rq.timeouts import BaseTimeoutException

from khalifa_whatsapp.core.errors import UserError, describe
from khalifa_whatsapp.jobs import alerts, counters
from khalifa_whatsapp.services.isolation import RowsFailed
from khalifa_whatsapp.stores.base import StoreUnavailable

T = TypeVar("T")
TITLE = "Khalifa WhatsApp"


class StepsFailed(Exception):
	"""Some steps of a job failed; the others ran. The text names the steps."""


class Steps:
	"""The steps of one run of a job."""

	def __init__(self) -> None:
		self.failed: list[str] = []
		self._known: set[tuple[str, str]] | None = None

	def run(self, step: str, act: Callable[[], T], device: str = "", otherwise: T | None = None) -> T | None:
		"""Do one step; whatever it raises is written down, and the next step can be taken."""
		try:
			done = act()
		except Exception as error:
			# whatever stops one step must not stop the others, and nobody else may print it
			self._note(step, device, error)
			if isinstance(error, BaseTimeoutException):
				self.failed.append("timeout")
			return otherwise
		self._works(step, device)
		return done

	def each(self, step: str, devices: Iterable[str], act: Callable[[str], object]) -> None:
		"""Do a step for each device, each by itself."""
		for device in devices:
			self.run(step, lambda device=device: act(device), device)  # type: ignore[misc]

	def all(self, steps: Mapping[str, Callable[[], object]]) -> None:
		"""Take steps in their order; a worker's time limit ends them."""
		for step, act in steps.items():
			self.run(step, act)
			if "timeout" in self.failed:
				return

	def check(self) -> None:
		"""Raise `StepsFailed` when any failed, so that Frappe's own list of jobs shows it."""
		if self.failed:
			raise StepsFailed(", ".join(dict.fromkeys(self.failed)))

	def _note(self, step: str, device: str, error: Exception) -> None:
		self.failed.append(step)
		note(step, error, device)
		if self._known is not None:
			self._known.add((step, device))

	def _works(self, step: str, device: str) -> None:
		with alerts.database_may_be_away():
			if self._known is None:
				self._known = alerts.failing()
			if (step, device) in self._known:
				self._known.discard((step, device))
				alerts.clear_job(step, device)


def note(step: str, error: Exception, device: str = "") -> None:
	"""Write down that a step failed: in the log, for health and for managers, the first time only.

	Raises nothing.
	"""
	said = said_of(error)
	log_file(f"{step}{f' ({device})' if device else ''}: {said}")
	if isinstance(error, StoreUnavailable):  # nothing is wrong but the database, and nothing could be written
		_roll_back()
		return
	with alerts.database_may_be_away():
		_roll_back()
		if alerts.alert_of_job(step, device, said):
			log_error(step, error, device)


def log_error(step: str, error: BaseException, device: str = "") -> None:
	"""An Error Log without variables."""
	frappe.log_error(title=f"{TITLE}: {step}"[:140], message=f"{device or '-'}: {said_of(error)}")
	frappe.db.commit()


def said_of(error: BaseException) -> str:
	"""What may be said of an error anywhere."""
	if isinstance(error, RowsFailed | StepsFailed):  # made of names and descriptions
		return str(error)
	return f"UserError {error.code}" if isinstance(error, UserError) else describe(error)


def log_file(text: str) -> None:
	"""One line in our own log file, without anything of the request."""
	frappe.logger("khalifa_whatsapp").error(text)


def job(step: str) -> Callable[[Callable[[str], T]], Callable[[str], T | dict[str, int]]]:
	"""A worker's job for one device: what fails is noted, and the answer is empty."""

	def decorate(act: Callable[[str], T]) -> Callable[[str], T | dict[str, int]]:
		@functools.wraps(act)
		@counters.timed(step)
		def guarded(device: str) -> T | dict[str, int]:
			done = Steps().run(step, lambda: act(device), device)
			return {} if done is None else done

		return guarded

	return decorate


def _roll_back() -> None:
	with alerts.database_may_be_away():
		frappe.db.rollback()
