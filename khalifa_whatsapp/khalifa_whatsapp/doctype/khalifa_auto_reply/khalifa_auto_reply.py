"""A rule that answers customers by itself."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

from khalifa_whatsapp.core import auto_replies, keywords, patterns
from khalifa_whatsapp.core.arabic import safe_name
from khalifa_whatsapp.core.markup import without_tags
from khalifa_whatsapp.khalifa_whatsapp.forms import validate_hours

MAX_MINUTES = 366 * 24 * 60


class KhalifaAutoReply(Document):
	"""An automatic reply: when it answers, whom, how often, and what it says."""

	def before_insert(self) -> None:
		self.title = safe_name(self.title or "")  # Desk's lists put it into attributes as it is

	def validate(self) -> None:
		self.body = without_tags(self.body or "").strip()
		self.validate_text()
		self.validate_keywords()
		self.validate_minutes()
		self.validate_number()
		validate_hours(self.hours)

	def validate_text(self) -> None:
		"""A name in braces that nobody fills in would reach the customer as it was written."""
		if not self.body:
			frappe.throw(_("Write what the reply says."))
		if names := auto_replies.unknown_blanks(self.body):
			known = ", ".join(f"{{{name}}}" for name in auto_replies.BLANKS)
			unfilled = ", ".join(f"{{{name}}}" for name in names)
			frappe.throw(_("Nobody fills in {0}. What can be filled in: {1}.").format(unfilled, known))

	def validate_keywords(self) -> None:
		"""A rule for keywords says which; other rules have none, so that nobody takes them for conditions."""
		if self.kind != auto_replies.KEYWORD:
			self.terms = self.pattern = None
		elif self.match_type == keywords.REGEX:
			self.terms = None
			self.validate_pattern()
		else:
			self.pattern = None
			self.validate_terms()

	def validate_pattern(self) -> None:
		"""What can't be matched, or would match everything, is refused with its reason."""
		self.pattern = (self.pattern or "").strip()
		try:
			patterns.check(self.pattern)
		except patterns.PatternError as error:
			frappe.throw(
				_(patterns.MESSAGES[error.code]).format(**error.values), title=_("Regular Expression")
			)

	def validate_terms(self) -> None:
		"""Each line has something to look for."""
		terms = [line.strip() for line in (self.terms or "").splitlines() if line.strip()]
		if not terms or len(terms) > auto_replies.MAX_TERMS:
			frappe.throw(_("Write 1 to {0} words, each on a line of its own.").format(auto_replies.MAX_TERMS))
		for term in terms:
			if len(term) > auto_replies.MAX_TERM or not keywords.phrase_of(term):
				text = _(
					"{0} can't be looked for. A line has a letter or a digit, and at most {1} characters."
				)
				frappe.throw(text.format(safe_name(term, 60), auto_replies.MAX_TERM))
		self.terms = "\n".join(terms)

	def validate_minutes(self) -> None:
		"""Times are minutes, up to a year."""
		least = {"wait_minutes": 1 if self.kind == auto_replies.WAITING_LONG else 0, "cooldown_minutes": 0}
		for fieldname, lowest in least.items():
			if not lowest <= cint(self.get(fieldname)) <= MAX_MINUTES:
				label = _(self.meta.get_label(fieldname))
				frappe.throw(_("{0} must be between {1} and {2}.").format(label, lowest, MAX_MINUTES))

	def validate_number(self) -> None:
		"""So many rules at most are asked for each message."""
		others = {"enabled": 1, "name": ("!=", self.name or "")}
		if self.enabled and frappe.db.count(self.doctype, others) >= auto_replies.MAX_RULES:
			frappe.throw(
				_("There are {0} enabled automatic replies already. Disable one first.").format(
					auto_replies.MAX_RULES
				)
			)
