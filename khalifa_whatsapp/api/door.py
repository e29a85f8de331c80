"""What every door needs: who is asking, the store, the time, and refusals in the user's language."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

import frappe
from frappe import _

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.errors import Changed, NotAllowed, NotFound, UserError
from khalifa_whatsapp.guards import current_actor
from khalifa_whatsapp.services import assignment
from khalifa_whatsapp.services.work import Actor
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable

Method = TypeVar("Method", bound=Callable[..., Any])


class Busy(frappe.InReadOnlyMode):
	"""The database is overloaded or away for a moment. Of this family, for Frappe logs others with all that was sent."""

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
	"""Turn a use case's refusal into Frappe's: a status, a code, a translated sentence that says how to go on.

	Arguments come as text or as JSON; a missing or impossible one is refused the same way.
	"""
	signature, hints = inspect.signature(method), get_type_hints(method)

	@functools.wraps(method)
	def guarded(*args: Any, **kwargs: Any) -> Any:
		try:
			given = _bound(signature, args, kwargs)
			for name, value in given.arguments.items():
				given.arguments[name] = _read(name, value, hints.get(name))
			return method(*given.args, **given.kwargs)
		except UserError as error:
			refuse(error)
		except (Conflict, StoreUnavailable):
			frappe.local.response["code"] = "busy"
			frappe.throw(_("The server is busy. Try again in a moment; nothing was changed."), Busy)

	return guarded


def _bound(
	signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> inspect.BoundArguments:
	given = signature.bind_partial(*args, **kwargs)
	for name, parameter in signature.parameters.items():
		is_needed = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
		if is_needed and given.arguments.get(name) is None:
			raise UserError("missing_argument", "{argument} is missing.", argument=name)
	return given


def _read(name: str, value: Any, hint: Any) -> Any:
	"""The value as the method's type hint means it: text, a number, yes or no."""
	if value is None or hint is None or hint is Any:
		return value
	wanted = next(kind for kind in (bool, int, str) if hint in (kind, kind | None))
	try:
		return _READERS[wanted](value)
	except (TypeError, ValueError, OverflowError) as error:
		raise UserError(
			"bad_argument", "{argument} has a value that can't be used.", argument=name
		) from error


def _text(value: Any) -> str:
	if not isinstance(value, str | int | float) or isinstance(value, bool):
		raise TypeError("not a text")
	return str(value).encode("utf-8", "replace").decode("utf-8")


def _number(value: Any) -> int | None:
	return None if value == "" else int(value)


def _yes_or_no(value: Any) -> bool:
	return bool(_WORDS[str(value).lower()]) if str(value).lower() in _WORDS else bool(int(value))


_WORDS = {"true": True, "false": False, "yes": True, "no": False, "": False}
_READERS: dict[type, Callable[[Any], Any]] = {bool: _yes_or_no, int: _number, str: _text}


def refuse(error: UserError) -> None:
	"""Raise the refusal as Frappe does, with its code in the answer."""
	kind = next(exception for known, exception in _EXCEPTIONS if isinstance(error, known))
	frappe.local.response["code"] = error.code
	frappe.throw(_(error.text).format(**error.values), kind, title=_("Not Done"))


def actor() -> Actor:
	"""The person behind the request, as the use cases know people."""
	found = current_actor()
	return Actor(found.user, found.employee_name, found.agent, found.is_manager)


def hand_out() -> int:
	"""Give waiting tickets to whoever is free now; how many. What a person did is done, whether or not this works."""
	try:
		return len(assignment.assign_queue(on_site(), now_ms(), wait_seconds=1))
	except (Conflict, StoreUnavailable):
		return 0
