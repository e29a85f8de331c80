"""What is wrong enough to call people, and when they are called again.

`conditions` says from measures and thresholds what is wrong now; health, alerts and metrics all ask it, so
that they never differ. `seen` and `gone` say whether people are notified: at once, not again within the quiet
time, and once when it is over. A threshold of 0 where the settings allow it means: never. All instants and
ages are epoch milliseconds and milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from khalifa_whatsapp.core import template_state
from khalifa_whatsapp.core.settings import DAY_MS, MINUTE_MS, Settings

# Kinds, as `Khalifa Alert` lists them
JOB, DEVICE = "Job", "Device"  # said by the part that found out itself, in its own words
DOWN, RESTRICTED, QUALITY, TOKEN = "Device Down", "Restricted", "Quality", "Token"
FAILURES, DEAD_EVENTS = "Failures", "Dead Letters"
OLD_EVENT, OLD_MESSAGE = "Old Event", "Old Message"
LATE_JOB, NO_WORKER, DISK = "Late Job", "No Worker", "Disk"
TEMPLATE = "Template"
KINDS = (
	*(JOB, DEVICE, DOWN, RESTRICTED, QUALITY, TOKEN, TEMPLATE),
	*(FAILURES, DEAD_EVENTS, OLD_EVENT, OLD_MESSAGE, LATE_JOB, NO_WORKER, DISK),
)
LOOKED_FOR = frozenset(KINDS) - {JOB, DEVICE}  # those that `conditions` finds
OF_SCHEDULE = frozenset({LATE_JOB, NO_WORKER})  # those that nobody looks for while nothing runs
# Said by the gateway in a notice of its own, which managers get at once: the alert adds the mail
HAS_NOTICE = frozenset({RESTRICTED, QUALITY, TEMPLATE})
NOTIFIED_ONCE = frozenset({TEMPLATE, QUALITY, TOKEN})  # they stand for days: who knows it is not reminded

MESSAGES = {
	JOB: "A part of the background work fails: {step}",
	DEVICE: "{device} needs you: {reason}",
	DOWN: "{device} has not been connected for {minutes} minutes.",
	RESTRICTED: "WhatsApp has restricted {device}.",
	QUALITY: "The quality of {device} is low: {quality}.",
	TOKEN: "The access token of {device} expires on {date}.",
	TEMPLATE: "The template {template} ({language}) of {device} can't be sent: {status}.",
	FAILURES: "{device}: {percent} % of the {count} messages of the last hour failed.",
	DEAD_EVENTS: "{count} calls of gateways could not be taken in.",
	OLD_EVENT: "What a gateway posted has been waiting for {minutes} minutes to be taken in.",
	OLD_MESSAGE: "{device}: an answer has been waiting for {minutes} minutes to be sent.",
	LATE_JOB: "The background work has not run for {minutes} minutes.",
	NO_WORKER: "A job has been waiting for {minutes} minutes, and no worker takes it (queue {queue}).",
	DISK: "The disk is nearly full: {free} GB are free.",
}
# What to do, for whoever is called
REASONS = {
	JOB: "Open the alert: it names the step and the kind of error. The Error Log has the place in the code. "
	"All other parts go on.",
	DEVICE: "Open the device's form: it says what is wrong and what to do.",
	DOWN: "Open the device's form and connect it. Is its gateway running, and the phone online?",
	RESTRICTED: "Stop campaigns and messages to people who did not write first. WhatsApp Manager says why "
	"and until when.",
	QUALITY: "Send fewer promotions, and only to people who asked for them. Pause the campaigns that "
	"customers block.",
	TOKEN: "Make a new token for the system user in Meta's Business Settings, without an end, and enter it "
	"in the device's form.",
	TEMPLATE: "Read Meta's reason in the template's form, correct the text and submit it again. Campaigns "
	"that use it wait.",
	FAILURES: "Open the device's failed messages: the reason stands beside each. Then send them again.",
	DEAD_EVENTS: "Open the webhook events with the status Dead: the error says what could not be read. "
	"Report it; nothing of it is lost.",
	OLD_EVENT: "Are the workers running? On the server: bench doctor, then bench restart.",
	OLD_MESSAGE: "Open the device's form: it says whether it is paused, at its cap, or not connected. Are "
	"the workers running?",
	LATE_JOB: "The scheduler or all workers have stopped. On the server: bench doctor, then bench restart.",
	NO_WORKER: "Start the workers: on the server bench doctor, then bench restart or supervisorctl restart "
	"all.",
	DISK: "Free some space, or enlarge the disk: old backups first. Files of customers can't be stored when "
	"it is full.",
}

DOWN_STATES = frozenset({"Disconnected", "QR"})
RESTRICTED_STATE = "Restricted"
LOW_QUALITY = frozenset({"RED", "LOW"})
TEMPLATE_NEWS_MS = 7 * DAY_MS  # what changed longer ago was known when the app came
GIGABYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class DeviceFacts:
	"""How one enabled device is."""

	name: str
	state: str = ""
	state_ms: int = 0
	has_problem: bool = False  # its settings or secrets can't be used
	has_reason: bool = False  # people were called for it already, with the reason
	quality: str = ""
	token_ends_ms: int = 0  # 0: never, or nobody knows
	tried: int = 0  # messages whose sending began in the last hour
	failed: int = 0
	oldest_due_ms: int = 0  # age of the oldest answer that should have gone by now


@dataclass(frozen=True, slots=True)
class TemplateFacts:
	"""A template as its gateway sees it now."""

	device: str
	name: str
	language: str
	status: str
	status_ms: int


@dataclass(frozen=True, slots=True)
class Facts:
	"""What was measured at one moment. What nobody asked for is as if all were well."""

	now_ms: int
	devices: Sequence[DeviceFacts] = ()
	templates: Sequence[TemplateFacts] = ()
	oldest_event_ms: int = 0
	dead_events: int = 0
	minute_job_ms: int = 0  # since it last began
	queues: Mapping[str, int] = field(default_factory=dict)  # age of the oldest waiting job by queue
	free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Condition:
	"""Something that is wrong now. `key` tells two of one kind on one device apart."""

	kind: str
	device: str = ""
	key: str = ""
	values: Mapping[str, str] = field(default_factory=dict)

	@property
	def text(self) -> str:
		"""The sentence, with places for the values."""
		return MESSAGES[self.kind]


def is_down(state: str, has_problem: bool = False) -> bool:
	"""Whether a device in this state carries no messages."""
	return has_problem or state in DOWN_STATES or state == RESTRICTED_STATE


def conditions(facts: Facts, settings: Settings) -> list[Condition]:
	"""All that is wrong now."""
	return [*_of_the_host(facts, settings), *_of_devices(facts, settings), *_of_templates(facts)]


def _of_the_host(facts: Facts, settings: Settings) -> Iterator[Condition]:
	if facts.oldest_event_ms >= settings.alert_event_minutes * MINUTE_MS:
		yield Condition(OLD_EVENT, values=_minutes(facts.oldest_event_ms))
	if facts.dead_events:
		yield Condition(DEAD_EVENTS, values={"count": str(facts.dead_events)})
	if facts.minute_job_ms >= settings.alert_job_minutes * MINUTE_MS:
		yield Condition(LATE_JOB, values=_minutes(facts.minute_job_ms))
	for queue, age_ms in facts.queues.items():
		if age_ms >= settings.alert_worker_minutes * MINUTE_MS:
			yield Condition(NO_WORKER, key=queue, values={"queue": queue, **_minutes(age_ms)})
	if facts.free_bytes is not None and facts.free_bytes < settings.alert_disk_gb * GIGABYTE:
		yield Condition(DISK, values={"free": f"{facts.free_bytes / GIGABYTE:.1f}"})


def _of_devices(facts: Facts, settings: Settings) -> Iterator[Condition]:
	for device in facts.devices:
		name = {"device": device.name}
		if device.state == RESTRICTED_STATE:
			yield Condition(RESTRICTED, device.name, values=name)
		elif _has_been_down(device, facts.now_ms, settings):
			yield Condition(DOWN, device.name, values={**name, **_minutes(facts.now_ms - device.state_ms)})
		if device.quality.upper() in LOW_QUALITY:
			yield Condition(QUALITY, device.name, values={**name, "quality": device.quality})
		if device.oldest_due_ms >= settings.alert_message_minutes * MINUTE_MS:
			yield Condition(OLD_MESSAGE, device.name, values={**name, **_minutes(device.oldest_due_ms)})
		yield from _of_failures(device, settings)
		yield from _of_token(device, facts.now_ms, settings)


def _has_been_down(device: DeviceFacts, now_ms: int, settings: Settings) -> bool:
	if device.has_reason or device.state not in DOWN_STATES:
		return False
	return now_ms - device.state_ms >= settings.alert_device_minutes * MINUTE_MS


def _of_failures(device: DeviceFacts, settings: Settings) -> Iterator[Condition]:
	if not settings.alert_failure_percent or device.tried < max(settings.alert_failure_sample, 1):
		return
	percent = 100 * device.failed / device.tried
	if percent >= settings.alert_failure_percent:
		values = {"device": device.name, "percent": str(round(percent)), "count": str(device.tried)}
		yield Condition(FAILURES, device.name, values=values)


def _of_token(device: DeviceFacts, now_ms: int, settings: Settings) -> Iterator[Condition]:
	days = settings.alert_token_days
	if days and device.token_ends_ms and device.token_ends_ms - now_ms <= days * DAY_MS:
		yield Condition(
			TOKEN, device.name, values={"device": device.name, "date_ms": str(device.token_ends_ms)}
		)


def _of_templates(facts: Facts) -> Iterator[Condition]:
	for template in facts.templates:
		is_new = facts.now_ms - template.status_ms < TEMPLATE_NEWS_MS
		if is_new and template.status and template_state.is_warning(template.status):
			values = {
				"device": template.device,
				"template": template.name,
				"language": template.language,
				"status": template.status,
			}
			yield Condition(TEMPLATE, template.device, f"{template.name} {template.language}", values)


def _minutes(age_ms: int) -> dict[str, str]:
	return {"minutes": str(age_ms // MINUTE_MS)}


# -- when people are notified


@dataclass(frozen=True, slots=True)
class State:
	"""What is remembered of one thing that is, or was, wrong."""

	since_ms: int = 0
	notified_ms: int = 0  # when people were last notified that it is wrong; 0: never
	is_notified: bool = False  # in this episode
	solved_ms: int = 0  # 0: it is wrong now

	@property
	def is_wrong(self) -> bool:
		"""Whether it is wrong now, as far as is known."""
		return bool(self.since_ms) and not self.solved_ms


def seen(state: State, now_ms: int, quiet_ms: int, is_once: bool = False) -> tuple[State, bool]:
	"""It is wrong now; whether to notify of it.

	A new episode is told at once unless the last one was told within the quiet time: then when that is
	over, if it is still wrong. One that goes on is told again after each quiet time; never with a quiet time
	of 0, or if it is `is_once`.
	"""
	if not state.is_wrong:
		state = State(now_ms, state.notified_ms)
	is_reminded = bool(quiet_ms) and not is_once
	is_wanted = is_reminded or not state.is_notified
	is_quiet = bool(state.notified_ms) and now_ms - state.notified_ms < quiet_ms
	if not is_wanted or is_quiet:
		return state, False
	return replace(state, notified_ms=now_ms, is_notified=True), True


def gone(state: State, now_ms: int) -> tuple[State, bool]:
	"""It is right; whether to notify that it is: once, and only people who knew that it was wrong."""
	if not state.is_wrong:
		return state, False
	return replace(state, solved_ms=now_ms), state.is_notified
