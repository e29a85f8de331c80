"""Questions that a customer answers with a tap: up to three buttons, or a list of up to ten rows."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.drivers.base import Choice, OutgoingChoices, Permanent
from khalifa_whatsapp.drivers.cloud_api.send import frame

# Characters, from Meta's reference of interactive messages; the sentences below say the same.
MAX_BODY, MAX_HEADER, MAX_FOOTER = 1024, 60, 60
MAX_BUTTONS, MAX_BUTTON_TITLE, MAX_BUTTON_ID = 3, 20, 256
MAX_ROWS, MAX_ROW_TITLE, MAX_ROW_TEXT, MAX_ROW_ID = 10, 24, 72, 200
MAX_LIST_BUTTON, MAX_SECTION_TITLE = 20, 24


def choices_body(message: OutgoingChoices) -> dict[str, Any]:
	"""The request that asks. `Permanent` when Meta would refuse it: too many choices, or too long ones."""
	_need(message.body, MAX_BODY, "A question has 1 to 1024 characters.")
	_limit(message.header, MAX_HEADER, "The heading of a question may have 60 characters.")
	_limit(message.footer, MAX_FOOTER, "The footer of a question may have 60 characters.")
	_check_ids(message.choices)
	interactive = _list(message) if message.list_button.strip() else _buttons(message)
	interactive["body"] = {"text": message.body}
	if message.header.strip():
		interactive["header"] = {"type": "text", "text": message.header}
	if message.footer.strip():
		interactive["footer"] = {"text": message.footer}
	return {**frame(message, "interactive"), "interactive": interactive}


def _buttons(message: OutgoingChoices) -> dict[str, Any]:
	if len(message.choices) > MAX_BUTTONS:
		raise Permanent("A question may have three buttons. Make it a list to offer more.", code="choices")
	if len({choice.title for choice in message.choices}) < len(message.choices):
		raise Permanent("Two buttons have the same words.", code="choices")
	buttons = []
	for choice in message.choices:
		_need(choice.title, MAX_BUTTON_TITLE, "A button has 1 to 20 characters.")
		_need(choice.id, MAX_BUTTON_ID, "The id of a button has 1 to 256 characters.")
		if choice.description:
			raise Permanent("A button has no description. Make the question a list.", code="choices")
		buttons.append({"type": "reply", "reply": {"id": choice.id, "title": choice.title}})
	return {"type": "button", "action": {"buttons": buttons}}


def _list(message: OutgoingChoices) -> dict[str, Any]:
	_limit(message.list_button, MAX_LIST_BUTTON, "The button that opens a list may have 20 characters.")
	if len(message.choices) > MAX_ROWS:
		raise Permanent("A list may have ten rows.", code="choices")
	sections: dict[str, list[dict[str, str]]] = {}  # by title, in the order of their first rows
	for choice in message.choices:
		sections.setdefault(choice.section, []).append(_row(choice))
	for title in sections:
		_limit(title, MAX_SECTION_TITLE, "The title of a section may have 24 characters.")
		if len(sections) > 1 and not title.strip():
			raise Permanent("In a list with several sections each one needs a title.", code="choices")
	payload = [
		{**({"title": title} if title.strip() else {}), "rows": rows} for title, rows in sections.items()
	]
	return {"type": "list", "action": {"button": message.list_button, "sections": payload}}


def _row(choice: Choice) -> dict[str, str]:
	_need(choice.title, MAX_ROW_TITLE, "A row of a list has 1 to 24 characters.")
	_need(choice.id, MAX_ROW_ID, "The id of a row has 1 to 200 characters.")
	_limit(choice.description, MAX_ROW_TEXT, "The description of a row may have 72 characters.")
	row = {"id": choice.id, "title": choice.title}
	return {**row, "description": choice.description} if choice.description.strip() else row


def _check_ids(choices: tuple[Choice, ...]) -> None:
	if not choices:
		raise Permanent("The question has nothing to choose from.", code="choices")
	if len({choice.id for choice in choices}) < len(choices):
		raise Permanent("Two choices have the same id.", code="choices")


def _need(text: str, most: int, sentence: str) -> None:
	if not text.strip() or len(text) > most:
		raise Permanent(sentence, code="choices")


def _limit(text: str, most: int, sentence: str) -> None:
	if len(text) > most:
		raise Permanent(sentence, code="choices")
