"""What became of a call, folded from all that gateways say of it: in any order, any number of times.

A customer whose call nobody took waits for us. Of some gateways we only hear that it rang: then somebody must
look, unless it turns out to have been answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RINGING, RANG, MISSED, ANSWERED = "ringing", "rang", "missed", "answered"
# The later one stands: it rings and we shall hear the end · it rang and we may never hear more · it ended so
RANK = {RINGING: 0, RANG: 1, MISSED: 2, ANSWERED: 3}
UNANSWERED = frozenset({RANG, MISSED})


def fold(known: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
	"""What is known of a call (`state`, `duration`, `is_video`, `began_ms`) after something more was said."""
	state = max(known.get("state", RINGING), said["state"], key=RANK.__getitem__)
	return {
		"state": state,
		"duration": max(known.get("duration", 0), said["duration"]),
		"is_video": bool(known.get("is_video") or said["is_video"]),
		"began_ms": min(known.get("began_ms") or said["began_ms"], said["began_ms"]),
	}


def state_of(data: Mapping[str, Any]) -> str:
	"""The state in a stored call."""
	state = data.get("state")
	return state if isinstance(state, str) and state in RANK else RINGING


def length(seconds: int) -> str:
	"""How long people talked, as clocks show it: 3:05, 1:02:03."""
	minutes, rest = divmod(max(seconds, 0), 60)
	hours, minutes = divmod(minutes, 60)
	return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
