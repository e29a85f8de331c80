"""The code to scan, drawn by us from what it says: it never leaves this process but as a picture for one manager."""

from __future__ import annotations

import base64
from io import BytesIO

import pyqrcode


def picture_of(text: str) -> str:
	"""A data URL with the code as SVG."""
	drawn = BytesIO()
	code = pyqrcode.create(text, error="L", encoding="utf-8")
	code.svg(drawn, scale=5, background="white", module_color="black", quiet_zone=4, xmldecl=False)
	return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"
