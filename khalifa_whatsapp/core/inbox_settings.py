"""What a person has set for the own inbox: what lies on top, lists under a name, what comes after closing.

It is kept as one text. What can't be read counts as not set: nobody is kept from work by an old setting.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.errors import UserError

MAX_PINS = 20
MAX_VIEWS = 12
MAX_NAME = 40  # letters in the name of a kept list
MAX_VALUE = 140  # letters in what a list is narrowed to
VIEWS = ("mine", "snoozed", "queue", "delayed", "all", "closed")
SORTS = ("", "newest", "waiting", "due")
FILTERS = ("branch", "device", "agent", "tag", "is_unread")


@dataclass(frozen=True, slots=True)
class SavedView:
	"""A list under a name: the tab, what it is narrowed to, its order. `filters` holds pairs, sorted."""

	name: str
	view: str = "mine"
	filters: tuple[tuple[str, str], ...] = ()
	sort: str = ""

	def shown(self) -> dict[str, Any]:
		"""As the page takes it."""
		return {"name": self.name, "view": self.view, "filters": dict(self.filters), "sort": self.sort}


@dataclass(frozen=True, slots=True)
class InboxSettings:
	"""One person's settings; the latest pin first."""

	pins: tuple[str, ...] = ()
	views: tuple[SavedView, ...] = ()
	opens_next: bool = False  # after closing a conversation

	def written(self) -> str:
		"""As it is kept."""
		return json.dumps(asdict(self), ensure_ascii=False)

	def with_pin(self, ticket: str, is_pinned: bool, still_open: set[str]) -> InboxSettings:
		"""The same with this conversation on top, or no longer; pins of conversations that are over go."""
		others = tuple(one for one in self.pins if one != ticket and one in still_open)
		if is_pinned and len(others) >= MAX_PINS:
			raise UserError("too_many_pins", "Pin at most {limit} conversations.", limit=MAX_PINS)
		return replace(self, pins=(ticket, *others) if is_pinned else others)

	def with_view(self, view: SavedView) -> InboxSettings:
		"""The same with this list, in the place of one with its name."""
		names = [one.name for one in self.views]
		if view.name in names:
			kept = tuple(view if one.name == view.name else one for one in self.views)
			return replace(self, views=kept)
		if len(self.views) >= MAX_VIEWS:
			raise UserError("too_many_views", "Keep at most {limit} lists.", limit=MAX_VIEWS)
		return replace(self, views=(*self.views, view))

	def without_view(self, name: str) -> InboxSettings:
		"""The same without the list of this name."""
		return replace(self, views=tuple(one for one in self.views if one.name != name))


def saved_view(name: str, view: str, filters: dict[str, str], sort: str) -> SavedView:
	"""A list as a person wants to keep it; refuses what no list can be."""
	plain = safe_name(name, MAX_NAME)
	if not plain:
		raise UserError("no_name", "Give the list a name.")
	if view not in VIEWS or sort not in SORTS:
		raise UserError("no_such_view", "There is no such list of conversations.")
	return SavedView(plain, view, tuple(sorted(filters.items())), sort)


def read(stored: str | None) -> InboxSettings:
	"""The settings that were kept; what is not understood is left out."""
	try:
		kept = json.loads(stored or "{}")
	except ValueError:
		return InboxSettings()
	if not isinstance(kept, dict):
		return InboxSettings()
	views = [view for view in map(_view, _list(kept.get("views"))) if view is not None]
	pins = [one for one in _list(kept.get("pins")) if isinstance(one, str) and one]
	unique = {view.name: view for view in views}
	return InboxSettings(
		tuple(dict.fromkeys(pins))[:MAX_PINS],
		tuple(unique.values())[:MAX_VIEWS],
		kept.get("opens_next") is True,
	)


def _view(kept: Any) -> SavedView | None:
	if not isinstance(kept, dict):
		return None
	filters = {}
	for pair in _list(kept.get("filters")):
		if isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair):
			filters[pair[0]] = pair[1]
	known = {name: value for name, value in filters.items() if name in FILTERS and len(value) <= MAX_VALUE}
	try:
		return saved_view(_text(kept, "name"), _text(kept, "view"), known, _text(kept, "sort"))
	except UserError:
		return None


def _text(kept: dict[str, Any], name: str) -> str:
	value = kept.get(name)
	return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
	return value if isinstance(value, list) else []
