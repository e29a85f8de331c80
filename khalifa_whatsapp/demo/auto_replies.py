"""The automatic replies of the demonstration: about hours, branches and waiting, and nothing medical."""

from __future__ import annotations

from typing import Any

from khalifa_whatsapp.core.auto_replies import RuleBook, rule_from_row

# Rows of Khalifa Auto Reply
RULES: tuple[dict[str, Any], ...] = (
	{
		"title": "خارج المواعيد",
		"kind": "Out of Hours",
		"priority": 30,
		"body": "أهلًا {customer}، إحنا قافلين دلوقتي. هنفتح {opens}، وهنرد عليك أول ما نفتح إن شاء الله.",
		"cooldown_minutes": 8 * 60,
	},
	{
		"title": "مواعيد العمل",
		"kind": "Keyword",
		"priority": 20,
		"match_type": "Whole Word",
		"terms": "مواعيد\nالمواعيد\nمواعيدكم\nفاتحين\nبتفتحوا\nبتقفلوا\nopen\nhours",
		"body": "مواعيدنا كل يوم من ٩ الصبح لـ ٢ الضهر ومن ٥ العصر لـ ٢ بالليل، والجمعة من ٢ الضهر.",
		"cooldown_minutes": 60,
	},
	{
		"title": "أقرب فرع",
		"kind": "Keyword",
		"priority": 20,
		"match_type": "Regular Expression",
		"pattern": "(أقرب|فين|عنوان).*(فرع|صيدلية)",
		"body": "عندنا ١٥ فرع في المنصورة وحواليها. ابعت لنا موقعك وزميلنا هيقولك على أقرب فرع ليك.",
		"cooldown_minutes": 60,
	},
	{
		"title": "ترحيب",
		"kind": "New Conversation",
		"priority": 10,
		"enabled": 0,
		"body": "أهلًا بيك يا {customer}، رسالتك وصلت وزميلنا هيرد عليك حالًا.",
		"cooldown_minutes": 24 * 60,
	},
	{
		"title": "الانتظار طال",
		"kind": "Waiting Long",
		"priority": 10,
		"wait_minutes": 12,
		"body": "آسفين على التأخير يا {customer}، رسالتك قدامنا وهنرد عليك في أقرب وقت.",
		"cooldown_minutes": 3 * 60,
	},
	{
		"title": "كل الزملاء مشغولين",
		"kind": "All Agents Offline",
		"priority": 5,
		"body": "رسالتك وصلت يا {customer}، وأول زميل يرجع هيرد عليك.",
		"cooldown_minutes": 3 * 60,
	},
)
_EMPTY = dict.fromkeys(
	(
		"match_type",
		"terms",
		"pattern",
		"device",
		"branch",
		"priority",
		"cooldown_minutes",
		"is_once",
		"wait_minutes",
	)
)


def book(has_welcome: bool = False) -> RuleBook:
	"""The enabled rules; with the welcome too, where every conversation may have one more message."""
	rows = [row for row in RULES if has_welcome or row.get("enabled", 1)]
	return RuleBook(rule_from_row({**_EMPTY, **row, "name": row["title"]}, None) for row in rows)
