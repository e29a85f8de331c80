"""What every door needs: who is asking, the store, the time, and refusals in the user's language."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import frappe
from frappe import _

from khalifa_whatsapp.core.errors import Changed, NotAllowed, NotFound, UserError
from khalifa_whatsapp.guards import current_actor
from khalifa_whatsapp.services.work import Actor
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable

Method = TypeVar("Method", bound=Callable[..., Any])


class Busy(frappe.ValidationError):
	"""The database is overloaded or away for a moment."""

	http_status_code = 503


class Outdated(frappe.ValidationError):
	"""Somebody else changed it first."""

	http_status_code = 409


_EXCEPTIONS: tuple[tuple[type[UserError], type[Exception]], ...] = (
	(NotAllowed, frappe.PermissionError),
	(NotFound, frappe.DoesNotExistError),
	(Changed, Outdated),
	(UserError, frappe.ValidationError),
)


def door(method: Method) -> Method:
	"""Turn a use case's refusal into Frappe's: a status, a code, a translated sentence that says how to go on."""

	@functools.wraps(method)
	def guarded(*args: Any, **kwargs: Any) -> Any:
		try:
			return method(*args, **kwargs)
		except UserError as error:
			refuse(error)
		except (Conflict, StoreUnavailable):
			frappe.throw(_("The server is busy. Try again in a moment; nothing was changed."), Busy)

	return guarded


def refuse(error: UserError) -> None:
	"""Raise the refusal as Frappe does, with its code in the answer."""
	kind = next(exception for known, exception in _EXCEPTIONS if isinstance(error, known))
	frappe.local.response["code"] = error.code
	frappe.throw(_(error.text).format(**error.values), kind, title=_("Not Done"))


def actor() -> Actor:
	"""The person behind the request, as the use cases know people."""
	found = current_actor()
	return Actor(found.user, found.employee_name, found.agent, found.is_manager)
