"""Whom the played campaigns go to: lists as people paste them, with numbers in many spellings, doubles and
words; and customers who are known already, some of whom want no promotions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.audience import Audience, Columns, Line
from khalifa_whatsapp.core.calendar import Calendar
from khalifa_whatsapp.core.identity import PHONE, Identity
from khalifa_whatsapp.core.settings import Rules, Settings
from khalifa_whatsapp.services.unit_of_work import UnitOfWork
from simulation.world import ZONE

RULES = Rules(Settings(campaign_approval_size=0), Calendar.always(ZONE))
COLUMNS = Columns(0, ("", "customer", "offer"), True)
NEEDED = ("customer", "offer")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
DOUBLES, TERMS, KNOWN, OPTED_OUT = 50, 101, 10, 4  # every so-many-eth line; of known people, the last


@dataclass(frozen=True, slots=True)
class Crowd:
	"""The list of one campaign: so many lines, of people whose numbers begin at `first`."""

	first: int
	count: int

	def phone(self, number: int) -> str:
		"""The phone of the person in a line, in E.164."""
		return f"+2010{self.first + number:08}"

	def audience(self) -> tuple[Audience, Iterator[Line]]:
		"""The list, read as a site reads it: who remembers the lines taken, and the lines."""
		made = Audience(COLUMNS, NEEDED)
		return made, (made.line(n, self._cells(n)) for n in range(1, self.count + 1))

	def _cells(self, number: int) -> list[str]:
		if number % TERMS == 0:
			return ["ask Mona", "nobody", "0"]
		if number % DOUBLES == 0:
			return [self.phone(number - 1).removeprefix("+2").translate(ARABIC), "double", f"x{number}"]
		spelled = self.phone(number) if number % 3 else self.phone(number).removeprefix("+2")
		return [spelled, f"Person {number}", f"n{self.first + number}"]

	def distinct(self) -> int:
		"""How many lines are a person of their own."""
		numbers = range(1, self.count + 1)
		return sum(n % TERMS != 0 and (n % DOUBLES != 0 or (n - 1) % TERMS == 0) for n in numbers)

	def know(self, work: UnitOfWork) -> set[str]:
		"""Some of them are customers already; the phones of those who want no promotions."""
		stopped = set()
		for place, number in enumerate(range(KNOWN, self.count + 1, KNOWN)):
			phone = self.phone(number)
			is_stopped = place % OPTED_OUT == 0
			customer = records.Customer(
				work.new_name(),
				f"Known {number}",
				phone,
				is_opted_out=int(is_stopped),
				opted_out_ms=work.now_ms - 1 if is_stopped else None,
			)
			identity = Identity(PHONE, phone)
			work.add(customer)
			work.add(
				records.CustomerIdentity(work.new_name(), identity.key, PHONE, identity.value, customer.name)
			)
			if is_stopped:
				stopped.add(phone)
		return stopped
