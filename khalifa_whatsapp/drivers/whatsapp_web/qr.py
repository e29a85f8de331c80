"""The code to scan, drawn by us from what it says:
it never leaves this process but as a picture for one manager.
"""

from __future__ import annotations

import base64
from io import BytesIO

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_L
from qrcode.image.svg import SvgPathFillImage

QUIET_ZONE = 4  # modules; with less, phones may not find it


def picture_of(text: str) -> str:
	"""A data URL with the code as SVG, black on white."""
	code = QRCode(error_correction=ERROR_CORRECT_L, border=QUIET_ZONE, image_factory=SvgPathFillImage)
	code.add_data(text)
	drawn = BytesIO()
	code.make_image().save(drawn)
	return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"
