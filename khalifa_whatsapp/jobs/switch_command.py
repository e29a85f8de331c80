"""What `bench --site … khalifa-switch-gateway` says while it works."""

from __future__ import annotations

from pathlib import Path

import click
import frappe
from frappe import _
from frappe.utils.backups import new_backup

from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.jobs.switch_gateway import Plan, plan, roll_back, switch


def run(site: str, device: str, to: str, *, is_dry: bool, is_rollback: bool, has_backup: bool) -> None:
	"""Switch, look, or undo; refusals end with their own words and exit code 1."""
	frappe.init(site=site)
	frappe.connect()
	try:
		_run(device, to, is_dry, is_rollback, has_backup)
	except UserError as error:
		raise click.ClickException(_(error.text).format(**error.values)) from error
	finally:
		frappe.destroy()


def _run(device: str, to: str, is_dry: bool, is_rollback: bool, has_backup: bool) -> None:
	if is_rollback:
		_print(_("Undone: {0} uses {1} again.").format(device, roll_back(device).source))
		return
	if not to:
		raise UserError("no_gateway", "Say where to: --to with a gateway or another device.")
	planned = plan(device, to)
	_describe(planned)
	if is_dry:
		_print(_("Nothing was changed."))
		return
	if has_backup and not planned.problem:
		backup = new_backup(ignore_files=True, force=True)
		_print(_("Database backed up to {0}.").format(Path(backup.backup_path_db).resolve()))
	path = switch(planned)
	_print(_("Done. To undo it: {0}").format(f"--device {device} --rollback"))
	_print(_("How it was is written down in {0}.").format(path))


def _describe(planned: Plan) -> None:
	_print(_("{0}: from {1} to {2}").format(planned.device, planned.source, planned.provider))
	if planned.target != planned.device:
		_print(_("Carried on by the device {0}.").format(planned.target))
	_print(_("The new gateway says: {0}").format(planned.problem or planned.state))
	_print(_("Open conversations that go on there: {0}").format(len(planned.tickets)))
	if planned.left:
		_print(_("Stay, because their customer has an open one there: {0}").format(", ".join(planned.left)))
	_print(_("Messages that wait and go out there: {0}").format(len(planned.queued)))
	if planned.doubtful:
		_print(_("Messages in doubt, for a person to settle: {0}").format(planned.doubtful))


def _print(line: str) -> None:
	click.echo(line)
