"""The company of the demonstration: its branches and agents, its hours, and when its customers write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from khalifa_whatsapp.demo.names import AGENTS, BRANCHES, FIRST, LAST, MANAGER

# A top-level domain that no mail can ever reach; whoever has such an address belongs to the demonstration
DOMAIN = "khalifa-demo.invalid"
OWNER = f"manager@{DOMAIN}"
DEVICE = "Demo"
CUSTOMER_MARK = "demo-"  # how the names of its customers begin
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
# Shifts in hours of the day; 26 is two in the morning. They follow one another so that the traffic is met.
SHIFTS: tuple[tuple[tuple[float, float], ...], ...] = (
	((0, 24),),
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


# Shortcut, title and text; {customer}, {agent}, {branch} and {ticket} are filled in by the inbox
QUICK_REPLIES = (
	("سلام", "الترحيب", "أهلًا {customer}، معك {agent} من {branch}. كيف أقدر أساعدك؟"),
	("لحظة", "لحظة من فضلك", "لحظة واحدة من فضلك، أراجع المخزون وأرد عليك حالًا."),
	("متوفر", "الصنف متوفر", "الصنف متوفر لدينا في {branch}. تحب نحجزه لك أم نوصله؟"),
	("ناقص", "الصنف غير متوفر", "الصنف غير متوفر حاليًا في {branch}. أبحث لك عنه في الفروع القريبة وأبلغك."),
	("عنوان", "طلب العنوان", "من فضلك أرسل العنوان بالتفصيل أو الموقع، ورقمًا للتواصل عند الوصول."),
	("توصيل", "الطلب في الطريق", "طلبك خرج للتوصيل الآن. شكرًا لك يا {customer}."),
	("روشتة", "صورة الروشتة", "من فضلك أرسل صورة واضحة للروشتة، وسيراجعها الصيدلي."),
	("شكرا", "الختام", "شكرًا لتواصلك معنا يا {customer}. نتمنى لك دوام الصحة."),
)


@dataclass(frozen=True, slots=True)
class Employee:
	"""An agent to be: login, name, branch, and the hours he or she works every day."""

	user: str
	name: str
	branch: str
	spans: tuple[tuple[float, float], ...]


def branch_names() -> list[str]:
	"""Fifteen branches; «صيدلية» keeps them apart from a site's own."""
	return [f"صيدلية {name}" for name in BRANCHES]


def working_hours(number: int) -> list[dict[str, str]]:
	"""Rows of a branch's hours: morning and evening, Fridays from two. None where it never closes."""
	if number < ALWAYS_OPEN:
		return []
	rows = []
	for day in DAYS:
		spans = (
			[("14:00:00", "02:00:00")]
			if day == FRIDAY
			else [("09:00:00", "14:00:00"), ("17:00:00", "02:00:00")]
		)
		rows += [{"day": day, "start_time": start, "end_time": end} for start, end in spans]
	return rows


def employees() -> list[Employee]:
	"""One agent per branch; those of the branches that never close
	work around the clock in the demonstration.
	"""
	return [
		Employee(f"agent{number + 1:02d}@{DOMAIN}", AGENTS[number], branch, _spans(number))
		for number, branch in enumerate(branch_names())
	]


def _spans(number: int) -> tuple[tuple[float, float], ...]:
	return SHIFTS[0] if number < ALWAYS_OPEN else SHIFTS[1 + number % (len(SHIFTS) - 1)]


def shift_rows(spans: tuple[tuple[float, float], ...]) -> list[dict[str, str]]:
	"""A table of shifts; none for who works around the clock."""
	if spans == SHIFTS[0]:
		return []
	return [
		{"day": day, "start_time": _clock(start), "end_time": _clock(end)}
		for day in DAYS
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
	found: list[Caller] = []
	number = 0
	while len(found) < count:
		number += 1
		phone = f"+20105{5_000_000 + number:07d}"
		if phone not in taken:
			found.append(Caller(phone, f"{rng.choice(FIRST)} {rng.choice(LAST)}"))
	return found
