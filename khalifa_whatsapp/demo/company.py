"""The company of the demonstration: its branches and agents, its hours, and when its customers write."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from khalifa_whatsapp.demo.names import AGENTS, BRANCHES, FIRST, LAST, MANAGER

# A top-level domain that no mail can ever reach; whoever has such an address belongs to the demonstration
DOMAIN = "khalifa-demo.invalid"
OWNER = f"manager@{DOMAIN}"
DEVICE = "Demo"
CUSTOMER_MARK = "demo-"  # how the names of its customers begin
PLACE = {"latitude": 31.0409, "longitude": 31.3785, "name": "المنصورة", "address": "شارع الجمهورية"}
MANAGER_NAME = MANAGER
DAYS = ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
FRIDAY = "Friday"
ALWAYS_OPEN = 3  # the first branches never close
STREETS = (
	"شارع جيهان",
	"شارع توريل",
	"المشاية السفلية",
	"شارع الجلاء",
	"شارع قناة السويس",
	"شارع عبد السلام عارف",
	"مدخل سندوب",
	"ميدان المجزر",
	"شارع صلاح سالم",
	"شارع بورسعيد",
	"شارع الجيش",
	"شارع الثورة",
	"شارع المحطة",
	"شارع الكورنيش",
	"شارع البحر",
)
# Hours of the day, beginning and end; 26 is two in the morning.
Spans = tuple[tuple[float, float], ...]
OPEN, OPEN_FRIDAYS = ((9, 14), (17, 26)), ((14, 26),)
AROUND_THE_CLOCK: Spans = ((0, 24),)
# They follow one another so that the traffic is met
SHIFTS: tuple[Spans, ...] = (
	((9, 14), (17, 21)),
	((17, 26),),
	((10, 14), (18, 23)),
	((9, 14), (19, 24)),
)
# How many customers begin to write in each hour, relatively
INTENSITY = (
	1.2,
	0.7,
	0.3,
	0.1,
	0.1,
	0.1,
	0.2,
	0.5,
	1.5,
	4,
	6,
	7,
	7.5,
	6,
	3.5,
	2.5,
	3,
	5,
	6.5,
	8,
	9,
	9.5,
	8,
	5,
)
OF_WEEKDAY = (1.0, 1.0, 1.0, 1.05, 0.55, 1.15, 1.1)  # Monday first: Fridays are quiet
HOLIDAYS_BACK = {9: "إجازة رسمية", 23: "جرد سنوي حتى الظهر"}  # how many days ago, and why


# Shortcut, title and text; the inbox fills in what stands in braces
QUICK_REPLIES = (
	("سلام", "الترحيب", "أهلًا {customer}، معك {agent} من {branch}. كيف أقدر أساعدك؟"),
	("لحظة", "لحظة من فضلك", "لحظة واحدة من فضلك، أراجع المخزون وأرد عليك حالًا."),
	("متوفر", "الصنف متوفر", "الصنف متوفر لدينا في {branch}. تحب نحجزه لك أم نوصله؟"),
	("ناقص", "الصنف غير متوفر", "الصنف غير متوفر حاليًا في {branch}. أبحث لك عنه في الفروع القريبة وأبلغك."),
	("عنوان", "طلب العنوان", "من فضلك أرسل العنوان بالتفصيل أو الموقع، ورقمًا للتواصل عند الوصول."),
	("توصيل", "الطلب في الطريق", "طلبك خرج للتوصيل الآن. شكرًا لك يا {customer}."),
	("روشتة", "صورة الروشتة", "من فضلك أرسل صورة واضحة للروشتة، وسيراجعها الصيدلي."),
	("شكرا", "الختام", "شكرًا لتواصلك معنا يا {customer}. نتمنى لك دوام الصحة."),
	("مواعيد", "مواعيد الفرع", "{branch} مفتوح اليوم: {branch_hours}. العنوان: {branch_address}."),
	("عروض", "عروض الأسبوع", "عروض هذا الأسبوع في كل فروعنا يا {customer}."),
	("hello", "Greeting", "Hello {customer}, this is {agent} at {branch}. How can I help?"),
	("delivery", "On its way", "Your order is on its way, {customer}. Thank you."),
	("hours", "Opening hours", "{branch} is open today: {branch_hours}."),
)


@dataclass(frozen=True, slots=True)
class Employee:
	"""An agent to be: login, name, branch, and the hours he or she works every day."""

	user: str
	name: str
	branch: str
	spans: Spans


def branch_names() -> list[str]:
	"""Fifteen branches; «صيدلية» keeps them apart from a site's own."""
	return [f"صيدلية {name}" for name in BRANCHES]


def working_hours(number: int) -> list[dict[str, str]]:
	"""Rows of a branch's hours. None where it never closes."""
	return [] if number < ALWAYS_OPEN else open_hours()


def open_hours() -> list[dict[str, str]]:
	"""Rows of the usual hours: morning and evening, Fridays from two."""
	return [row for day in DAYS for row in _rows([day], OPEN_FRIDAYS if day == FRIDAY else OPEN)]


def employees() -> list[Employee]:
	"""One agent per branch; those of the branches that never close work around the clock."""
	return [
		employee(number, branch, AROUND_THE_CLOCK if number < ALWAYS_OPEN else SHIFTS[number % len(SHIFTS)])
		for number, branch in enumerate(branch_names())
	]


def employee(number: int, branch: str, spans: Spans) -> Employee:
	"""The agent of this number, counted from 0; a second round of names gets a Roman numeral."""
	name = AGENTS[number % len(AGENTS)] + " Ⅱ" * (number // len(AGENTS))
	return Employee(f"agent{number + 1:02d}@{DOMAIN}", name, branch, spans)


def shift_rows(spans: Spans) -> list[dict[str, str]]:
	"""A table of shifts; none for who works around the clock."""
	return [] if spans == AROUND_THE_CLOCK else _rows(DAYS, spans)


def _rows(days: Iterable[str], spans: Spans) -> list[dict[str, str]]:
	return [
		{"day": day, "start_time": _clock(start), "end_time": _clock(end)}
		for day in days
		for start, end in spans
	]


def _clock(hour: float) -> str:
	return f"{int(hour) % 24:02d}:{round(hour % 1 * 60):02d}:00"


def holidays(today: date) -> list[dict[str, str | None]]:
	"""Days with other hours in the month before `today`."""
	rows: list[dict[str, str | None]] = []
	for back, note in HOLIDAYS_BACK.items():
		day = (today - timedelta(days=back)).isoformat()
		opens, closes = ("14:00:00", "23:00:00") if "حتى" in note else (None, None)
		rows.append({"date": day, "start_time": opens, "end_time": closes, "note": note})
	return rows


@dataclass(frozen=True, slots=True)
class Caller:
	"""A customer of the demonstration."""

	phone: str
	name: str


def callers(rng: Random, count: int, taken: Collection[str]) -> list[Caller]:
	"""`count` customers with numbers that nobody on the site has."""
	customers: list[Caller] = []
	number = 0
	while len(customers) < count:
		number += 1
		phone = f"+20105{5_000_000 + number:07d}"
		if phone not in taken:
			customers.append(Caller(phone, f"{rng.choice(FIRST)} {rng.choice(LAST)}"))
	return customers
