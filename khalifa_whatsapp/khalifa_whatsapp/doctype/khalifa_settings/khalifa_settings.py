"""Everything a manager can tune."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import flt, validate_email_address
from phonenumbers import SUPPORTED_REGIONS

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.templates import stored_shape
from khalifa_whatsapp.jobs.wake import wake_deadlines
from khalifa_whatsapp.khalifa_whatsapp.forms import is_network, validate_hours

WEEK_MINUTES = 7 * 24 * 60
MEGABYTE = 1024 * 1024
MIN_TOKEN = 20

# By field, the least and the most
RANGES: dict[str, tuple[float, float]] = {
	"delay_minutes": (1, WEEK_MINUTES),
	"customer_delay_minutes": (1, WEEK_MINUTES),
	"warn_percent": (1, 100),
	"escalate_factor": (1, 100),
	"late_transfer_percent": (1, 100),
	"reopen_window_hours": (0, 24 * 365),
	"default_capacity": (1, 1000),
	"pending_load": (0, 1),
	"heartbeat_stale_minutes": (1, 24 * 60),
	"heartbeat_requeue_minutes": (1, 24 * 60),
	"weight_first_response": (0, 1000),
	"weight_response": (0, 1000),
	"weight_delays": (0, 1000),
	"weight_resolution": (0, 1000),
	"weight_satisfaction": (0, 1000),
	"first_response_target_minutes": (0, WEEK_MINUTES),
	"first_response_worst_minutes": (0, WEEK_MINUTES),
	"response_target_minutes": (0, WEEK_MINUTES),
	"response_worst_minutes": (0, WEEK_MINUTES),
	"delay_rate_target": (0, 100),
	"delay_rate_worst": (0, 100),
	"resolution_rate_target": (0, 100),
	"resolution_rate_worst": (0, 100),
	"satisfaction_target": (0, 100),
	"satisfaction_worst": (0, 100),
	"satisfaction_smoothing": (0, 1000),
	"min_sample_daily": (1, 1000),
	"min_sample_monthly": (1, 10_000),
	"max_webhook_bytes": (1024, 64 * MEGABYTE),
	"max_gateway_bytes": (1024, 256 * MEGABYTE),
	"max_text_length": (1, 65_536),
	"drain_batch": (1, 1000),
	"raw_event_retention_days": (1, 3650),
	"max_auto_replies": (1, 20),
	"alert_quiet_minutes": (0, WEEK_MINUTES),
	"alert_device_minutes": (1, WEEK_MINUTES),
	"alert_failure_percent": (0, 100),
	"alert_failure_sample": (1, 10_000),
	"alert_event_minutes": (1, WEEK_MINUTES),
	"alert_message_minutes": (1, WEEK_MINUTES),
	"alert_job_minutes": (2, WEEK_MINUTES),
	"alert_worker_minutes": (1, WEEK_MINUTES),
	"alert_token_days": (0, 90),
	"alert_disk_gb": (0.1, 100_000),
	"audit_retention_days": (0, 36_500),
	"survey_delay_minutes": (0, 24 * 60),
	"survey_expiry_hours": (1, 24 * 14),
	"survey_comment_minutes": (1, 24 * 60),
}
# What customers read
TEXTS = ("survey_text", "survey_thanks_text", "survey_comment_text", "opt_out_text", "opt_in_text")
MAX_TEXT = 1_000
WEIGHTS = tuple(name for name in RANGES if name.startswith("weight_"))
# (target, worst, whether a smaller number is better)
SCALES = (
	("first_response_target_minutes", "first_response_worst_minutes", True),
	("response_target_minutes", "response_worst_minutes", True),
	("delay_rate_target", "delay_rate_worst", True),
	("resolution_rate_target", "resolution_rate_worst", False),
	("satisfaction_target", "satisfaction_worst", False),
)


class KhalifaSettings(Document):
	"""What holds for all branches and devices."""

	def validate(self) -> None:
		self.validate_ranges()
		self.validate_weights()
		self.validate_scales()
		self.validate_heartbeat()
		self.validate_region()
		self.validate_monitors()
		self.validate_texts()
		self.validate_survey_template()
		validate_hours(self.working_hours, self.calendar_exceptions)

	def on_update(self) -> None:
		wake_deadlines()

	def validate_ranges(self) -> None:
		"""Every number lies within its range."""
		for fieldname, (least, most) in RANGES.items():
			if not least <= flt(self.get(fieldname)) <= most:
				frappe.throw(_("{0} must be between {1} and {2}.").format(self.label(fieldname), least, most))

	def validate_weights(self) -> None:
		"""A score needs something that counts."""
		if not sum(flt(self.get(fieldname)) for fieldname in WEIGHTS):
			frappe.throw(_("At least one weight of the score must be more than 0."))

	def validate_scales(self) -> None:
		"""The best value of a measure is better than the worst."""
		for target, worst, smaller_is_better in SCALES:
			better, worse = (target, worst) if smaller_is_better else (worst, target)
			if flt(self.get(better)) >= flt(self.get(worse)):
				text = _("{0} must be less than {1}.")
				frappe.throw(text.format(self.label(better), self.label(worse)))

	def validate_heartbeat(self) -> None:
		"""An agent is away before his or her conversations go back to the queue."""
		stale, requeue = "heartbeat_stale_minutes", "heartbeat_requeue_minutes"
		if flt(self.get(stale)) > flt(self.get(requeue)):
			text = _("{0} must not be more than {1}.")
			frappe.throw(text.format(self.label(stale), self.label(requeue)))

	def validate_region(self) -> None:
		"""Numbers without a country code are of a country that `phones` knows."""
		self.default_region = (self.default_region or "").strip().upper()
		if self.default_region not in SUPPORTED_REGIONS:
			frappe.throw(_("Default Region must be a country code of two letters, such as EG."))

	def validate_monitors(self) -> None:
		"""Whoever may read the metrics is named by addresses that can be read, or knows a long secret."""
		token = self.monitor_token or ""
		if token and not self.is_dummy_password(token) and len(token) < MIN_TOKEN:
			frappe.throw(_("The Monitor Token needs at least {0} characters.").format(MIN_TOKEN))
		for line in (self.monitor_addresses or "").split():
			if not is_network(line):
				text = _("{0} is not an IP address or network, such as 10.0.0.5 or 10.0.0.0/24.")
				frappe.throw(text.format(line))
		for line in (self.alert_addresses or "").split():
			if not validate_email_address(line):
				frappe.throw(_("{0} is not a mail address.").format(line))

	def validate_texts(self) -> None:
		"""What the system says fits into one message; into a question with a list goes less."""
		for fieldname in TEXTS:
			if len(self.get(fieldname) or "") > MAX_TEXT:
				text = _("{0} may have {1} characters.")
				frappe.throw(text.format(self.label(fieldname), MAX_TEXT))

	def validate_survey_template(self) -> None:
		"""Nobody is there to fill in the variables of a survey."""
		if not self.survey_template or not self.has_value_changed("survey_template"):
			return
		template = on_site().provider_template(self.survey_template)
		if template is not None and stored_shape(template).variables:
			frappe.throw(_("Choose a template without variables: nobody fills them in."))

	def label(self, fieldname: str) -> str:
		"""A field's label in the user's language."""
		return _(self.meta.get_label(fieldname))
