"""What a message of a category costs in a country from a day on, for gateways that name no amount."""

import frappe
from frappe import _
from frappe.model.document import Document

from khalifa_whatsapp.bootstrap import on_site
from khalifa_whatsapp.core.cost import micros_of
from khalifa_whatsapp.core.keys import digest


class KhalifaMessageRate(Document):
	"""A line of the price list. Messages keep the price that they were given: it is for later ones."""

	def validate(self) -> None:
		self.set_amount()
		self.region = self.country_code()
		self.refuse_second()

	def set_amount(self) -> None:
		"""The price in millionths, which sums are made of."""
		micros = micros_of(self.amount)
		if micros is None:
			frappe.throw(_("The price of a message is a number from 0 to 2,000."))
		self.amount_micros = micros

	def country_code(self) -> str:
		"""Two capital letters; empty for every other country."""
		code = frappe.db.get_value("Country", self.country, "code") if self.country else ""
		return (code or "").upper()

	def refuse_second(self) -> None:
		"""One price a category, country and day: of two nobody could say which counts."""
		self.rate_key = digest("rate", self.category, self.region, str(self.from_date))
		if frappe.db.exists(self.doctype, {"rate_key": self.rate_key, "name": ("!=", self.name)}):
			frappe.throw(_("There is a price for this category, country and day already. Change that one."))

	def on_update(self) -> None:
		on_site().price_again()  # with the rate, in its transaction
