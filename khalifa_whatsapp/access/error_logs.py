"""Frappe's Error Log keeps every variable of every function that an error went through: of ours, customers'
words.

So what goes into it about our code is cut down to the kind of the error and the places it went through.
Errors of others' code stay as they are, also where they passed our guards on their way.
"""

from __future__ import annotations

import re
from typing import Any

# Guards stand in everybody's way; the rest of the app has seen what was sent, or stored, if it stands in a
# traceback
OURS = re.compile(
	r"File "
	r'"[^"\n]*khalifa_whatsapp/(?!khalifa_whatsapp/|access/|guards\.py|permissions\.py|hooks\.py|setup/)[\w/]+\.py"'
	r"|/api/(?:v[12]/)?method/khalifa_whatsapp\.api\."
)
PLACE = re.compile(r'^\s*File "[^"\n]*", line \d+, in [\w<>]+\s*$', re.MULTILINE)
KIND = re.compile(
	r"^((?:\w+\.)*\w+(?:Error|Exception|Failed|Exit|Interrupt|Warning|Unavailable|Conflict))\b(?=[:\s]|$)",
	re.MULTILINE,
)
TITLE = "Khalifa WhatsApp"


def keep_content_out(doc: Any, method: str | None = None) -> None:
	"""Before an Error Log is stored. What we wrote ourselves begins with our name, and holds no words."""
	if str(doc.method or "").startswith(TITLE) or not OURS.search(doc.error or ""):
		return
	kinds = KIND.findall(doc.error)
	doc.method = f"{TITLE}: {kinds[-1].rpartition('.')[2] if kinds else 'error'}"
	doc.error = "\n".join([*(place.strip() for place in PLACE.findall(doc.error)), *kinds[-1:]])
