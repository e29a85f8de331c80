"""Many rows in one transaction, and when that fails each in its own:
one poisonous row must not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from khalifa_whatsapp.core.errors import describe
from khalifa_whatsapp.services.unit_of_work import retrying
from khalifa_whatsapp.stores.base import StoreUnavailable

T = TypeVar("T")
MAX_NAMED = 5


class RowsFailed(Exception):
	"""Some rows could not be worked on; all others were. The text names rows and kinds of errors only."""


@dataclass(slots=True)
class OneByOne(Generic[T]):
	"""What came of the rows, and which failed, with kind and place of the error."""

	done: list[T] = field(default_factory=list)
	failed: dict[str, str] = field(default_factory=dict)


def check(failed: Mapping[str, str]) -> None:
	"""Raise `RowsFailed` when there is any."""
	if failed:
		named = [f"{name}: {why}" for name, why in list(failed.items())[:MAX_NAMED]]
		raise RowsFailed(f"{len(failed)} failed. {'; '.join(named)}")


def batch_or_one_by_one(
	together: Callable[[], T], names: Callable[[], Iterable[str]], alone: Callable[[str], T]
) -> OneByOne[T]:
	"""Do it in one transaction; when that fails, row by row.

	The store's absence is everybody's, and is raised.
	"""
	try:
		return OneByOne([retrying(together)])
	except StoreUnavailable:
		raise
	except Exception:  # whatever a row can provoke: each is now tried alone, and the one at fault is named
		return each_alone(names(), alone)


def each_alone(names: Iterable[str], alone: Callable[[str], T]) -> OneByOne[T]:
	"""Do it for each, in a transaction of its own."""
	outcome: OneByOne[T] = OneByOne()
	for name in names:
		try:
			outcome.done.append(retrying(lambda name=name: alone(name)))  # type: ignore[misc]
		except StoreUnavailable:
			raise
		except Exception as error:  # see above
			outcome.failed[name] = describe(error)
	return outcome
