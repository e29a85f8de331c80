"""How files of conversations lie on the disk: byte for byte, under names that nobody can guess or meet.

Frappe takes JPEGs apart pixel by pixel to drop what their camera wrote (a second and 300 MB for each four
megapixels, and a picture that is turned by a note in it lies on its side), points equal files at one place on
the disk, and looks whether a name is free before it replaces `%` in it by `_`. None of that may happen to
what a customer sent. So ours are written here, and no other file is ever written over one of ours.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import frappe
from frappe import _
from frappe.core.doctype.file.file import File
from frappe.utils import call_hook_method, get_files_path

from khalifa_whatsapp.core.doctypes import GUARDED
from khalifa_whatsapp.core.file_names import disk_ending, safe_file_name

FOLDER = "/private/files/"
DAMAGED = "This file is damaged and can't be checked. Save it once more and choose the new one."


class StoredFile(File):
	"""A File of which those that hang on our rows are kept as they came. All others are Frappe's."""

	@property
	def is_of_conversation(self) -> bool:
		"""Whether the file hangs on one of our rows."""
		return self.attached_to_doctype in GUARDED

	def save_file(
		self,
		content: bytes | str | None = None,
		decode: bool = False,
		ignore_existing_file_check: bool = False,
		overwrite: bool = False,
	) -> dict[str, str] | None:
		"""Frappe's own; what hangs on our rows is kept under a name that nobody can guess."""
		if self.is_remote_file or not self.is_of_conversation:
			return super().save_file(content, decode, ignore_existing_file_check, overwrite)
		if overwrite:
			frappe.throw(_("Files of conversations stay as they came."))
		if self.file_url:  # a copy of what lies on the disk already: of our folders, and nothing above them
			self.validate_file_path()
		if content:
			self.content, self.decode = content, decode
		given = self.get_content()
		return self._keep(given.encode() if isinstance(given, str) else given)

	def _keep(self, content: bytes) -> dict[str, str]:
		self._content = content
		self.file_size = len(content)
		if frappe.request:  # what a person brings; what a customer sent was measured by our own limit
			self._ask_frappe()
		self.file_name = safe_file_name(self.file_name)
		self.file_url = f"{FOLDER}{secrets.token_hex(16)}{disk_ending(self.file_name)}"
		self.content_hash = frappe.generate_hash(length=32)  # of its own: equal contents share nothing
		call_hook_method("before_write_file", file_size=self.file_size)
		write_new(self._own_path(), content)
		return {"file_name": self.file_name, "file_url": self.file_url}

	def _ask_frappe(self) -> None:
		self.check_max_file_size()
		if hasattr(self, "check_content"):  # newer versions of v15
			try:
				self.check_content()
			except frappe.ValidationError:
				raise
			except Exception:  # Frappe takes a PDF apart: a damaged one may raise anything there
				frappe.throw(_(DAMAGED))

	def write_file(self) -> str | None:
		"""Frappe's own; a conversation's file that lies in its place is not touched."""
		if not self.is_remote_file:
			self._step_aside()
		return super().write_file()

	def _step_aside(self) -> None:
		"""Take another place on the disk when what lies there belongs to a conversation."""
		path = Path(self.get_full_path())
		if not path.exists():
			return
		ours = {"file_url": self.file_url, "attached_to_doctype": ("in", sorted(GUARDED))}
		if frappe.db.exists("File", ours):
			folder, _slash, name = self.file_url.rpartition("/")
			stem = name.removesuffix(path.suffix)
			self.file_url = f"{folder}/{stem}{secrets.token_hex(8)}{path.suffix}"

	def on_rollback(self) -> None:
		"""Delete what the transaction had written, and never another row's file."""
		if self.flags.new_file and self.is_of_conversation:
			self.flags.pop("new_file")
			self._own_path().unlink(missing_ok=True)
		else:
			super().on_rollback()

	def _own_path(self) -> Path:
		return Path(get_files_path(self.file_url.removeprefix(FOLDER), is_private=1))


def keep(content: bytes, name: str, doctype: str, docname: str) -> StoredFile:
	"""A new private File of one of our rows, as the system: who may attach it was asked before.

	Of this class whatever class another app may have put in the place of Frappe's.
	"""
	doc = StoredFile(
		{
			"doctype": "File",
			"file_name": name,
			"is_private": 1,
			"content": content,
			"attached_to_doctype": doctype,
			"attached_to_name": docname,
		}
	)
	doc.flags.ignore_permissions = True
	doc.insert()
	return doc


def write_new(path: Path, content: bytes) -> None:
	"""Write a file that is not there yet, whole or not at all."""
	with path.open("xb") as file:
		try:
			file.write(content)
			file.flush()
			os.fsync(file.fileno())
		except OSError:
			path.unlink()
			raise
