"""Campaigns in the background: plans are made, recipients move into the outbox, states are looked at.

Whatever is killed here goes on with the next minute: how far it is stands in the rows.
"""

from __future__ import annotations

import contextlib

import frappe
import redis
from frappe.utils import add_to_date, now_datetime

from khalifa_whatsapp.bootstrap import now_ms, on_site
from khalifa_whatsapp.core import campaigns as rules
from khalifa_whatsapp.core.campaign_content import Content
from khalifa_whatsapp.core.errors import UserError
from khalifa_whatsapp.core.records import Campaign
from khalifa_whatsapp.core.settings import DAY_MS
from khalifa_whatsapp.jobs.audience import source_of
from khalifa_whatsapp.jobs.steps import Steps
from khalifa_whatsapp.jobs.wake import wake_outbox
from khalifa_whatsapp.services.campaigns import feeding, planning, watch
from khalifa_whatsapp.services.campaigns.planning import Device
from khalifa_whatsapp.services.campaigns.replies import LONGEST_DAYS
from khalifa_whatsapp.site_devices import get_device
from khalifa_whatsapp.stores.base import Store

CAMPAIGN = "Khalifa Campaign"
SILENT_MINUTES = 2  # a plan that wrote nothing for so long has lost its worker


def plan(campaign: str) -> str:
	"""A worker's part of a plan, in the name of the manager who asked. Safe to run again after a crash,
	or beside another.
	"""
	steps = Steps()
	return steps.run("campaign plan", lambda: _plan(on_site(), campaign)) or ""


def _plan(store: Store, name: str) -> str:
	with store.lock(f"campaign:{name}") as is_ours:
		if not is_ours:
			return "busy"
		campaign = store.campaigns([name]).get(name)
		if campaign is None or campaign.plan_state != rules.PLANNING:
			return "nothing to plan"
		worker = frappe.session.user
		frappe.set_user(campaign.planned_by or worker)
		try:
			return _plan_as(store, campaign)
		finally:
			frappe.set_user(worker)


def _plan_as(store: Store, campaign: Campaign) -> str:
	"""Read the audience with the rights of who planned it; what is wrong with it as a whole is said in the
	form.
	"""
	try:
		device = device_of(campaign.device)
		content = planning.content_for(store, campaign)
		source = source_of(campaign.name, content.needed)
		planning.plan(store, campaign.name, source.lines, source.made, content, device, now_ms())
	except UserError as error:
		planning.fail(store, campaign.name, error, now_ms())
		return "refused"
	return "done"


def device_of(name: str) -> Device:
	"""What a plan and a run must know of a device. Raises `UserError` when it can't be used."""
	site_device = get_device(name)
	if site_device is None:
		raise UserError("device_not_usable", "The device can't be used now. Look at its form.")
	return Device(site_device.pace, site_device.driver.capabilities)


def content_of(campaign: Campaign) -> Content:
	"""What a campaign says, as it is stored now. Raises `UserError` when that can't be sent."""
	return planning.content_for(on_site(), campaign)


def enqueue_plan(campaign: str) -> None:
	"""Have a worker make the plan, which is committed by now; without one the minute job finds it."""
	with contextlib.suppress(redis.exceptions.RedisError):
		frappe.enqueue("khalifa_whatsapp.jobs.campaigns.plan", queue="long", campaign=campaign)


def wake_plans() -> None:
	"""Go on with plans whose worker may have died, and with plans that are being deleted."""
	quiet = add_to_date(now_datetime(), minutes=-SILENT_MINUTES)
	steps = Steps()
	unfinished = {"plan_state": rules.PLANNING, "modified": ("<=", quiet)}
	for name in frappe.get_all(CAMPAIGN, unfinished, pluck="name"):
		steps.run("wake plan", lambda name=name: enqueue_plan(name))  # type: ignore[misc]
	steps.run("clear plans", lambda: watch.finish_clearing(on_site(), now_ms()))
	steps.check()


def run_minute() -> None:
	"""Each minute: judge, feed, wake the senders."""
	steps = Steps()
	wake_plans()
	steps.run("campaign watch", lambda: watch.look(on_site(), now_ms()))
	steps.run("campaign feed", _feed)
	steps.check()


def run_hourly() -> None:
	"""What customers do long after a campaign has ended."""
	watch.look(on_site(), now_ms(), LONGEST_DAYS * DAY_MS)


def refill(device: str) -> int:
	"""The device's sender has made room: judge its campaigns, and queue more."""
	store = on_site()
	running = [row.name for row in store.campaigns_on(device) if row.status == rules.RUNNING]
	for name in running:
		watch.look_at(store, name, now_ms())
	return sum(feeding.feed_all(store, _usable, now_ms(), on=device).values()) if running else 0


def _feed() -> None:
	for device, count in feeding.feed_all(on_site(), _usable, now_ms()).items():
		if count:
			wake_outbox(device)


def _usable(name: str) -> Device | None:
	site_device = get_device(name)
	if site_device is None or site_device.is_held:
		return None
	return Device(site_device.pace, site_device.driver.capabilities)
