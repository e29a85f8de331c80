"""What every endpoint needs: who is asking, the store, the time, and refusals in the user's language."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, get_type_hints

import frappe
import pymysql
from frappe import _

from khalifa_whatsapp.api import safe_errors
from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core.actor import Actor
from khalifa_whatsapp.core.errors import Changed, NotAllowed, NotFound, UserError
from khalifa_whatsapp.guards import current_actor
from khalifa_whatsapp.services.isolation import RowsFailed
from khalifa_whatsapp.services.tickets import assignment
from khalifa_whatsapp.stores.base import Conflict, StoreUnavailable

Method = TypeVar("Method", bound=Callable[..., Any])


class Busy(frappe.InReadOnlyMode):
	"""The database is overloaded or away for a moment.

	Of this family, for Frappe logs others with all that was sent.
	"""

	http_status_code = 503


class Failed(Busy):
	"""A fault of ours. What was sent stays out of the log, as above; kind and place are written down."""

	http_status_code = 500


class Outdated(frappe.ValidationError):
	"""Somebody else changed it first."""

	http_status_code = 409


_EXCEPTIONS: tuple[tuple[type[UserError], type[Exception]], ...] = (
	(NotAllowed, frappe.PermissionError),
	(NotFound, frappe.DoesNotExistError),
	(Changed, Outdated),
	(UserError, frappe.ValidationError),
)


def endpoint(method: Method) -> Method:
	"""Turn a use case's refusal into Frappe's: a status, a code, a translated sentence that says how to go
	on.

	Arguments come as text or as JSON; a missing or impossible one is refused the same way.
	"""
	signature, hints = inspect.signature(method), get_type_hints(method)

	@functools.wraps(method)
	def guarded(*args: Any, **kwargs: Any) -> Any:
		frappe.local.flags.disable_traceback = (
			True  # what was sent stands in it, and Frappe prints it as well
		)
		try:
			given = _bound(signature, args, kwargs)
			for name, value in given.arguments.items():
				given.arguments[name] = _read(name, value, hints.get(name))
			return method(*given.args, **given.kwargs)
		except UserError as error:
			refuse(error)
		except (Conflict, StoreUnavailable):
			failure = None
		except Exception as error:  # Frappe logs what has a status of 500 and above, with all that was sent
			if getattr(error, "http_status_code", 500) < 500:
				raise
			failure = error
		_fail(method, failure)  # outside: no traceback leads from here to what failed

	return guarded


def _fail(method: Callable[..., Any], error: Exception | None) -> NoReturn:
	"""Tell the person that it is not his or her fault. None: the database was in the way, for a moment."""
	is_busy = error is None or isinstance(error, pymysql.err.OperationalError | pymysql.err.InterfaceError)
	if is_busy:
		text = _("The server is busy. Try again in a moment; nothing was changed.")
	else:
		text = _(
			"Something failed on our side, and nothing was changed. "
			"Your administrator finds it in the Error Log."
		)
	if error is not None:
		safe_errors.give_up(f"{method.__module__.rpartition('.')[2]}.{method.__name__}", error)
	frappe.local.response["code"] = "busy" if is_busy else "failed"
	frappe.throw(text, Busy if is_busy else Failed)


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
	return bool(_BOOLEANS[str(value).lower()]) if str(value).lower() in _BOOLEANS else bool(int(value))


_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "": False}
_READERS: dict[type, Callable[[Any], Any]] = {bool: _yes_or_no, int: _number, str: _text}


def refuse(error: UserError) -> None:
	"""Raise the refusal as Frappe does, with its code in the answer."""
	kind = next(exception for known, exception in _EXCEPTIONS if isinstance(error, known))
	frappe.local.response["code"] = error.code
	frappe.throw(_(error.text).format(**error.values), kind, title=_("Not Done"))


def actor() -> Actor:
	"""The person behind the request."""
	return current_actor()


def hand_out() -> int:
	"""Give waiting tickets to whoever is free now; how many.

	What a person did is done, whether or not this works.
	"""
	try:
		return len(assignment.assign_queue(on_site(), now_ms(), wait_seconds=1))
	except (Conflict, StoreUnavailable, RowsFailed):  # the minute job says which rows
		return 0
