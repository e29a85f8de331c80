"""Names of files, as people and phones give them: made safe to store, to show and to save, and told apart by
risk.

On our disk a file never has its own name (see `access.stored_files`); this is the name that people read, and
with which a browser saves it. So it keeps its script and its ending, and loses what a file system, a header
or an eye could take for something else.
"""

from __future__ import annotations

import mimetypes
import re
from pathlib import PurePosixPath

from khalifa_whatsapp.core.arabic import MAX_SCANNED, safe_name

MAX_CHARACTERS = 120
MAX_BYTES = 200  # file systems take 255 bytes, and browsers add " (1)" and their own ending while they save
PLAIN = ".bin"  # on the disk: nothing that a web server or a desktop would open

# What WhatsApp sends and takes, where Python's own table has no ending, or an odd one
ENDINGS = {
	"image/jpeg": ".jpg",
	"image/png": ".png",
	"image/webp": ".webp",
	"image/gif": ".gif",
	"audio/ogg": ".ogg",
	"audio/opus": ".ogg",
	"audio/amr": ".amr",
	"audio/aac": ".aac",
	"audio/mpeg": ".mp3",
	"audio/mp4": ".m4a",
	"video/mp4": ".mp4",
	"video/3gpp": ".3gp",
	"application/pdf": ".pdf",
	"text/plain": ".txt",
	"text/csv": ".csv",
	"text/vcard": ".vcf",
	"application/zip": ".zip",
	"application/msword": ".doc",
	"application/vnd.ms-excel": ".xls",
	"application/vnd.ms-powerpoint": ".ppt",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
# Nothing of this runs by being opened, and no browser reads markup in it
ON_DISK = frozenset(
	{*ENDINGS.values(), ".jpeg", ".oga", ".opus", ".wav", ".webm", ".mov", ".heic", ".rar", ".7z"}
)
# What Windows, macOS, Android or a browser would run. Not among them: office files, which people do send each
# other
_RUN = (
	"ade adp apk app appref-ms appx appxbundle bash bat cmd com command cpl "
	"csh desktop diagcab dll dmg exe gadget hta "
	"htaccess htm html htpasswd img inf ins iso isp jar jnlp js jse jsp ksh lib "
	"library-ms lnk mht mhtml mjs msc msh msi "
	"msix msixbundle msp mst msu ocx osd php php3 php4 php5 phtml phar pif pkg "
	"pl ps1 ps1xml ps2 psc1 psd1 psm1 py pyc "
	"pyw rb reg scf scr sct search-ms settingcontent-ms sh shb shs shtml svg "
	"svgz swf sys theme url vb vbe vbs vhd vhdx "
	"vxd website ws wsc wsf wsh xap xbap xht xhtml xll xsl zsh"
)
RISKY = frozenset(f".{ending}" for ending in _RUN.split())
RUNNING_TYPES = frozenset(
	{
		"application/hta",
		"application/java-archive",
		"application/javascript",
		"application/vnd.android.package-archive",
		"application/vnd.microsoft.portable-executable",
		"application/x-bat",
		"application/x-csh",
		"application/x-dosexec",
		"application/x-elf",
		"application/x-executable",
		"application/x-httpd-php",
		"application/x-mach-binary",
		"application/x-ms-installer",
		"application/x-ms-shortcut",
		"application/x-msdos-program",
		"application/x-msdownload",
		"application/x-msi",
		"application/x-sh",
		"application/x-shellscript",
		"application/xhtml+xml",
		"image/svg+xml",
		"text/html",
		"text/javascript",
	}
)

# of paths, addresses and Windows; Frappe writes some of them as _ too
_SYNTAX = re.compile(r'[/\\%?#:*"<>|]')
_ENDING = re.compile(r"\.[A-Za-z0-9-]{1,20}")
_DEVICES = frozenset(
	{"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)
_MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


def safe_file_name(text: str, fallback: str = "file") -> str:
	"""The name without path, control and bidi characters, leading dots and syntax; cut before its ending.

	Idempotent.
	"""
	parts = [part for part in re.split(r"[/\\]", text[-MAX_SCANNED:]) if part.strip(" .")]
	name = _trimmed(_SYNTAX.sub("_", safe_name(parts[-1], MAX_SCANNED))) if parts else ""
	if name.partition(".")[0].strip().lower() in _DEVICES:
		name = f"_{name}"
	ending = ending_of(name)
	return _trimmed(_cut(name.removesuffix(ending), ending) + ending) or fallback


def named(given: str | None, mime_type: str | None, fallback: str) -> str:
	"""The name under which a file is shown and saved. One without an ending gets that of its kind."""
	name = safe_file_name(given or "", safe_file_name(fallback))
	return name if ending_of(name) else f"{name}{ending_for(mime_type)}"


def ending_of(name: str) -> str:
	"""The ending with its dot as it is written; empty when there is none."""
	suffix = PurePosixPath(name).suffix
	return suffix if _ENDING.fullmatch(suffix) else ""


def ending_for(mime_type: str | None) -> str:
	"""The ending of a kind of file; empty for what has none of its own, or could be run."""
	mime_type = plain_mime_type(mime_type)
	ending = ENDINGS.get(mime_type) or mimetypes.guess_extension(mime_type) or ""
	return "" if ending in RISKY or mime_type == "application/octet-stream" else ending


def disk_ending(name: str) -> str:
	"""The ending that a file may have where a web server can reach it."""
	ending = ending_of(name).lower()
	return ending if ending in ON_DISK else PLAIN


def can_run(name: str, mime_type: str) -> bool:
	"""Whether a computer would run the file when somebody opens it."""
	return ending_of(name).lower() in RISKY or plain_mime_type(mime_type) in RUNNING_TYPES


def plain_mime_type(said: str | None) -> str:
	"""A MIME type without its options, fit for a header; `application/octet-stream` when it is none."""
	mime_type = (said or "").partition(";")[0].strip().lower()
	return mime_type if _MIME.fullmatch(mime_type) else "application/octet-stream"


def _trimmed(name: str) -> str:
	"""Without leading dots, which hide a file, and trailing ones, which Windows drops:
	`x.exe.` would be run.
	"""
	return name.strip(" .")


def _cut(stem: str, ending: str) -> str:
	room = MAX_BYTES - len(ending)
	return stem[: MAX_CHARACTERS - len(ending)].encode()[:room].decode(errors="ignore").rstrip(" .")
