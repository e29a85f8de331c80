"""A WhatsApp number with the gateway that carries it."""

import hashlib
import secrets
from urllib.parse import urlencode, urlsplit

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import add_to_date, cint, flt, get_url, now_datetime
from frappe.utils.password import set_encrypted_password

from khalifa_whatsapp import site_audit
from khalifa_whatsapp.core import audit
from khalifa_whatsapp.core.pacing import minute_of
from khalifa_whatsapp.core.troubles import MESSAGES
from khalifa_whatsapp.drivers.whatsapp_web import options
from khalifa_whatsapp.guards import manager_only
from khalifa_whatsapp.jobs import device_problems
from khalifa_whatsapp.jobs.alerts import clear_alerts
from khalifa_whatsapp.khalifa_whatsapp.forms import is_network, normal_phone
from khalifa_whatsapp.site_devices import BROWSER_FIELDS, forget_devices

WEBHOOK_PATH = "/api/method/khalifa_whatsapp.api.webhook.wppconnect"
ROTATION_HOURS = 24
SECRET_BYTES = 32
MAX_REPLY_PERCENT = 90
MAX_TIMEOUT_SECONDS = 600
REQUIRED = {
	"cloud_api": ("phone_number_id", "access_token", "app_secret", "verify_token"),
	"wppconnect": ("base_url", "session_name"),
}


# What a new number on an unofficial gateway begins with: a person's pace. WhatsApp publishes no figures, so
# these are cautious, and a manager may change every one.
CAREFUL_PACE = {
	"min_gap_seconds": 3,
	"max_gap_seconds": 9,
	"max_per_minute": 8,
	"max_per_hour": 200,
	"max_per_day": 1_000,
	"max_new_chats_per_day": 30,
	"max_identical_per_day": 20,
	"min_reply_percent": 50,
	"quiet_from": "23:00",
	"quiet_to": "08:00",
}
UNOFFICIAL = ("wppconnect", "whatsapp_web")


class WhatsAppDevice(Document):
	"""A number of ours with its gateway, its secrets and its pace."""

	def before_insert(self) -> None:
		if self.provider in UNOFFICIAL and not any(self.get(name) for name in CAREFUL_PACE):
			self.update(CAREFUL_PACE)

	def validate(self) -> None:
		self.validate_provider_fields()
		self.validate_session_name()
		self.validate_base_url()
		self.validate_timeouts()
		self.validate_pace()
		self.validate_browser()
		self.validate_allowed_ips()
		self.phone_number = normal_phone(self.phone_number)

	def on_update(self) -> None:
		self.be_the_only_default()
		self.show_problem()

	def validate_provider_fields(self) -> None:
		"""An enabled device has what its gateway needs."""
		missing = [name for name in REQUIRED.get(self.provider, ()) if not self.get(name)]
		if self.enabled and missing:
			labels = ", ".join(_(self.meta.get_label(name)) for name in missing)
			frappe.throw(_("A device of this provider needs: {0}.").format(labels), title=_("Missing Fields"))

	def validate_session_name(self) -> None:
		"""The name becomes part of a URL and of a folder on the gateway."""
		name = self.session_name or ""
		if not all(char.isascii() and (char.isalnum() or char in "-_") for char in name):
			frappe.throw(_("Session Name may hold Latin letters, digits, - and _ only."))

	def validate_base_url(self) -> None:
		"""The gateway has a web address, without a login in it."""
		self.base_url = (self.base_url or "").strip().rstrip("/")
		if not self.base_url:
			return
		parts = urlsplit(self.base_url)
		if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
			frappe.throw(_("Base URL must be a web address such as https://gateway.example.com:21465."))

	def validate_timeouts(self) -> None:
		"""Timeouts are seconds, more than none and no absurd number."""
		for fieldname in ("connect_timeout", "read_timeout"):
			if not 0 < flt(self.get(fieldname)) <= MAX_TIMEOUT_SECONDS:
				label = _(self.meta.get_label(fieldname))
				frappe.throw(_("{0} must be more than 0 and at most {1}.").format(label, MAX_TIMEOUT_SECONDS))

	def validate_browser(self) -> None:
		"""What would be refused when the browser starts is refused while somebody looks at the form."""
		if self.provider != "whatsapp_web":
			return
		settings = {name.removeprefix("browser_"): self.get(name) for name in BROWSER_FIELDS}
		try:
			options.check_settings(settings)
		except options.BadBrowserSetting as error:
			frappe.throw(_(options.MESSAGES[error.code]).format(error.value), title=_("Browser"))

	def validate_pace(self) -> None:
		"""Gaps and quiet hours can be kept."""
		if flt(self.max_gap_seconds) < flt(self.min_gap_seconds):
			self.max_gap_seconds = self.min_gap_seconds
		for fieldname in ("quiet_from", "quiet_to"):
			try:
				minute_of(self.get(fieldname))
			except ValueError:
				label = _(self.meta.get_label(fieldname))
				frappe.throw(_("{0} must be a time of day, such as 23:00.").format(label))
		if bool(self.quiet_from) != bool(self.quiet_to):
			frappe.throw(_("Set both Quiet From and Quiet To, or neither."))
		if cint(self.min_reply_percent) > MAX_REPLY_PERCENT:
			frappe.throw(_("The least share of replies is at most {0} %.").format(MAX_REPLY_PERCENT))

	def validate_allowed_ips(self) -> None:
		"""Every line is an address or a network."""
		for line in (self.allowed_ips or "").split():
			if not is_network(line):
				frappe.throw(
					_("{0} is not an IP address or network, such as 10.0.0.5 or 10.0.0.0/24.").format(line)
				)

	def be_the_only_default(self) -> None:
		"""No other device is the default beside this one."""
		if self.is_default:
			others = {"is_default": 1, "name": ("!=", self.name)}
			frappe.db.set_value("WhatsApp Device", others, "is_default", 0)

	def show_problem(self) -> None:
		"""Whoever has just entered the secrets again, or a setting that can be used,
		sees it in the answer.
		"""
		forget_devices()
		before, now = self.get("problem") or "", device_problems.fields_of(self.name)
		self.db_set(now, update_modified=False)
		if before and before != now["problem"]:
			frappe.db.after_commit.add(lambda: clear_alerts(self.name, MESSAGES[before]))

	@frappe.whitelist()
	@manager_only
	def new_webhook_secret(self) -> dict[str, str]:
		"""Make a new webhook address and show it this once; the old one works for a day more.

		The endpoint compares a digest. The address itself is kept encrypted, for a session must be told it
		whenever it starts, also at night by the watchdog; nobody is shown it again.
		"""
		self.check_permission("write")
		secret = secrets.token_hex(SECRET_BYTES)
		url = f"{get_url(WEBHOOK_PATH)}?{urlencode({'device': self.name, 'k': secret})}"
		self.db_set(self._rotated(hashlib.sha256(secret.encode()).hexdigest()))
		set_encrypted_password(self.doctype, self.name, url, "webhook_address")
		site_audit.note(
			audit.DEVICE,
			audit.NEW_SECRET,
			document_type=self.doctype,
			document=self.name,
			title=self.name,
		)
		self.show_problem()
		return {"url": url}

	def _rotated(self, digest: str) -> dict[str, object]:
		stored = frappe.db.get_value("WhatsApp Device", self.name, "webhook_secret_digest")
		return {
			"webhook_secret_digest": digest,
			"previous_webhook_secret_digest": stored,
			"previous_webhook_secret_until": add_to_date(now_datetime(), hours=ROTATION_HOURS),
		}
