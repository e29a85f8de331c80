"""What the app adds to `bench --site … `: thin commands whose bodies live elsewhere."""

from __future__ import annotations

from typing import Any

import click
from frappe.commands import get_site, pass_context


@click.command("khalifa-gateway")
@pass_context
def khalifa_gateway(context: Any) -> None:
	"""Own the browsers of this site's WhatsApp Web devices, until stopped. Run one, under a supervisor."""
	from khalifa_whatsapp.jobs.gateway import serve

	serve(get_site(context))


@click.command("khalifa-switch-gateway")
@click.option("--device", required=True, help="Name of the device.")
@click.option("--to", "to", default="", help="The new gateway (cloud_api, wppconnect …), or another device.")
@click.option("--dry-run", is_flag=True, help="Only look and say what would change.")
@click.option("--rollback", is_flag=True, help="Undo the device's last switch.")
@click.option("--skip-backup", is_flag=True, help="Don't back up the database first.")
@pass_context
def khalifa_switch_gateway(
	context: Any, device: str, to: str, dry_run: bool, rollback: bool, skip_backup: bool
) -> None:
	"""Move a device to another gateway, after asking it, and back again."""
	from khalifa_whatsapp.jobs.switch_command import run

	run(get_site(context), device, to, is_dry=dry_run, is_rollback=rollback, has_backup=not skip_backup)


@click.command("khalifa-demo")
@click.option("--tickets", default=3000, show_default=True, help="How many conversations.")
@click.option("--days", default=30, show_default=True, help="In how many days before today.")
@click.option("--seed", default=1, show_default=True, help="The same number tells the same story.")
@click.option("--force", is_flag=True, help="Also on a site that has devices or tickets of its own.")
@click.option("--remove", is_flag=True, help="Take the demonstration away, and nothing else.")
@pass_context
def khalifa_demo(context: Any, tickets: int, days: int, seed: int, force: bool, remove: bool) -> None:
	"""Fill the site with a month of a pharmacy chain, to try the app. Nothing is ever sent."""
	from khalifa_whatsapp.demo import command, site

	command.run(get_site(context), site.Order(tickets, days, seed, force), remove)


commands = [khalifa_switch_gateway, khalifa_gateway, khalifa_demo]
