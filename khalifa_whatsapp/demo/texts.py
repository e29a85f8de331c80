"""What customers of a pharmacy and its staff write to each other.

A conversation is a list of lines: `c` is the customer's, `a` our answer; `c:image` is a picture with that
caption. Lines of one side that follow each other are written in one go. A slot in braces is filled anew per
conversation, with the same value throughout it.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple


class Line(NamedTuple):
	"""One message of a conversation."""

	is_ours: bool
	kind: str  # a content type
	body: str


SLOTS: dict[str, tuple[str, ...]] = {
	"drug": (
		"بانادول إكسترا",
		"كونجستال",
		"أوجمنتين ١ جم",
		"بروفين ٤٠٠",
		"كتافلام ٥٠",
		"نيكسيوم ٤٠",
		"كونكور ٥",
		"جلوكوفاج ١٠٠٠",
		"أنتينال",
		"فيتامين د ٥٠ ألف",
		"فيروجلوبين",
		"زيرتك",
		"أوميجا ٣",
		"سنترم",
		"ميلجا",
		"كالسيوم د ٣",
		"إكسفورج ١٦٠",
		"ليبيتور ٢٠",
		"ديفارول",
		"سبازموفين",
	),
	"cold": ("أنسولين لانتوس قلم", "أنسولين نوفورابيد", "تريسيبا", "تطعيم الإنفلونزا", "قطرة زالاتان"),
	"care": ("كريم بانثينول", "واقي شمس بشرة دهنية", "غسول سيرافي", "شامبو للقشرة", "سيروم فيتامين سي"),
	"baby": ("حليب أطفال رقم ١", "حليب أطفال رقم ٢", "بامبرز مقاس ٤", "سيريلاك قمح", "كريم تسلخات"),
	"device": ("جهاز قياس السكر", "جهاز ضغط أومرون", "جهاز بخار", "ترمومتر ديجيتال"),
	"price": ("٤٥", "٦٨", "٨٥", "١١٠", "١٣٥", "١٩٠", "٢٤٠", "٣٢٠", "٤٧٥"),
	"street": (
		"شارع الجيش",
		"شارع الجمهورية",
		"شارع بورسعيد",
		"شارع قناة السويس",
		"المشاية السفلية",
		"حي الجامعة",
		"شارع سعد زغلول",
		"شارع أحمد ماهر",
		"مساكن الشناوي",
		"شارع عبد السلام عارف",
	),
	"minutes": ("٣٠", "٤٠", "٤٥", "٦٠"),
	"insurer": (
		"نقابة المهندسين",
		"نقابة المعلمين",
		"شركة الكهرباء",
		"التأمين الخاص بالجامعة",
		"نقابة الأطباء",
	),
	"order": ("٤٤٧١", "٤٥٠٢", "٤٦٣٨", "٤٧١٩", "٤٨٠٥", "٤٩٢٠"),
	"hi": ("السلام عليكم", "مساء الخير", "صباح الخير", "لو سمحت", "أهلا", "من فضلك"),
	"yes": ("أيوه تمام", "ماشي", "تمام", "أوك", "خلاص تمام"),
	"thanks": ("شكرا جزيلا 🙏", "تسلم", "متشكرة جدا ❤️", "تمام شكرا", "ربنا يبارك فيكم", "👍"),
}

STORIES: tuple[tuple[int, str], ...] = (
	# medicine: is it there, for how much
	(
		16,
		"""c {hi}، عندكم {drug}؟
a وعليكم السلام، {drug} متوفر يا فندم، سعره {price} جنيه.
c طيب احجزلي علبتين لو سمحت
a تم الحجز باسم حضرتك لمدة ٢٤ ساعة.
c {thanks}""",
	),
	(
		12,
		"""c {hi}
c بكام {drug} النهارده؟
a أهلا بحضرتك، {drug} بـ {price} جنيه بعد الخصم.
c {thanks}""",
	),
	(
		8,
		"""c {hi}، {drug} موجود؟
a للأسف غير متوفر اليوم، فيه بديل بنفس المادة الفعالة بـ {price} جنيه.
c البديل ده نفس المفعول؟
a نعم نفس المادة ونفس التركيز، والصيدلي راجعه.
c {yes}، هعدي أخده
a في انتظار حضرتك.""",
	),
	(
		5,
		"""c {hi}، محتاج {cold} ضروري
a متوفر ومحفوظ في التلاجة، {price} جنيه. تحب نبعته ولا حضرتك هتعدي؟
c ابعته على {street}
a تم، هيوصل في شنطة تبريد خلال {minutes} دقيقة.
c {thanks}""",
	),
	# prescriptions
	(
		10,
		"""c:image الروشتة
c {hi}، الروشتة دي متوفرة عندكم؟
a أهلا بحضرتك، ثواني وأراجعها مع الصيدلي.
a كل الأصناف موجودة ما عدا الأخير، الإجمالي {price} جنيه.
c والأخير إمتى يتوفر؟
a بكرة الصبح إن شاء الله، نقدر نحجزه لحضرتك.
c {yes}، احجزوه""",
	),
	(
		5,
		"""c:image
c دي نفس الحبوب؟
a الصورة مش واضحة يا فندم، ممكن صورة للعلبة من الجنب؟
c:image العلبة من الجنب
a أيوه هو نفسه {drug}، سعره {price} جنيه.
c {thanks}""",
	),
	(
		3,
		"""c:voice
a وصلت رسالة حضرتك. {drug} متوفر بـ {price} جنيه.
c ينفع للحامل؟
a يفضل الرجوع للطبيب قبل استخدامه أثناء الحمل.
c {yes}""",
	),
	# delivery
	(
		12,
		"""c {hi}، ينفع توصيل لـ {street}؟
a أيوه متاح، التوصيل مجاني للطلبات فوق ٢٠٠ جنيه. طلب حضرتك إيه؟
c {drug} و {care}
a الإجمالي {price} جنيه، يوصل خلال {minutes} دقيقة. كاش ولا فيزا؟
c كاش
a تم تأكيد الطلب رقم {order}.
c {thanks}""",
	),
	(
		6,
		"""c الطلب بتاعي اتأخر، رقمه {order}
a نعتذر لحضرتك، بتابع مع المندوب حالا.
a المندوب في الطريق، قدامه ١٠ دقايق.
c بقالي ساعة مستني!
a حقك علينا يا فندم، خصمنا مصاريف التوصيل من الطلب.""",
	),
	(
		3,
		"""c:location
c ده موقعي، ابعتولي {drug}
a وصل الموقع، الطلب {price} جنيه وهيوصل خلال {minutes} دقيقة.
c {thanks}""",
	),
	# insurance, points, complaints, hours
	(
		6,
		"""c {hi}، بتتعاملوا مع {insurer}؟
a أيوه متعاقدين، نحتاج صورة الكارنيه والروشتة مختومة.
c:image الكارنيه
c:document الروشتة
a تمت الموافقة، تحمل حضرتك ٢٠٪ يعني {price} جنيه.
c {yes}، هعدي النهارده""",
	),
	(
		4,
		"""c عايز أعرف نقاط الخصم بتاعتي
a رصيد حضرتك ٣٤٠ نقطة، تساوي خصم ٣٤ جنيه على الطلب القادم.
c {thanks}""",
	),
	(
		4,
		"""c مواعيد الفرع إيه النهارده؟
a من ٩ صباحا حتى ٢ بعد منتصف الليل، والفرع الرئيسي ٢٤ ساعة.
c {thanks}""",
	),
	(
		3,
		"""c {hi}، اشتريت {device} امبارح ومش شغال
a نعتذر لحضرتك، ممكن صورة الفاتورة؟
c:image الفاتورة
a تقدر تستبدله من أي فرع خلال ١٤ يوم، وبلغنا الفرع.
c {thanks}""",
	),
	# care and babies
	(
		6,
		"""c {hi}، {care} بكام؟
a {care} بـ {price} جنيه وعليه خصم ١٠٪ لحد آخر الأسبوع.
c فيه حجم أكبر؟
a أيوه الحجم العائلي متوفر في فرع الجلاء.
c {yes}""",
	),
	(
		6,
		"""c عايزة {baby}
a متوفر يا فندم بـ {price} جنيه، كام علبة؟
c ٣ علب، والتوصيل لـ {street}
a تم، هيوصل خلال {minutes} دقيقة.
c {thanks}""",
	),
	(
		3,
		"""c {hi}، {drug} كام مرة في اليوم؟
a حسب تعليمات الطبيب، ممكن صورة الروشتة؟
c:image الروشتة
a مرتين في اليوم بعد الأكل لمدة ٥ أيام.
c {thanks}""",
	),
	(
		2,
		"""c Hi, do you have Voltaren gel?
a Hello, yes. It is 95 EGP, and we deliver within 45 minutes.
c Great, please send two to {street}
a Done, order {order}.
c Thank you!""",
	),
)

SHORT = (
	"c {hi}\nc عندكم {drug}؟",
	"c بكام {device}؟",
	"c:image الروشتة\nc متوفر عندكم؟",
	"c ينفع توصيل لـ {street}؟",
	"c {hi}، {baby} متوفر؟",
	"c الطلب رقم {order} فين؟",
)
AGAIN = (
	"c نسيت أسأل، فيه منه حجم أكبر؟\na أيوه متوفر بـ {price} جنيه.\nc {thanks}",
	"c الطلب وصل ناقص علبة\na نعتذر لحضرتك، هنبعتها حالا مع المندوب.\nc {thanks}",
	"c ممكن أزود {care} على الطلب؟\na تم الإضافة، الإجمالي {price} جنيه.\nc {yes}",
)
ON_CAMPAIGN = (
	"c العرض ده ساري لحد إمتى؟\na حتى نهاية الأسبوع يا فندم، في كل فروعنا.\nc {thanks}",
	"c عايزة أحجز {care}\na تم الحجز، حضرتك تستلميه من أي فرع بـ {price} جنيه.\nc {yes}",
	"c أقرب فرع ليا فين؟\na في المنصورة شارع الكورنيش، مفتوحين حتى ٢ بعد منتصف الليل.\nc {thanks}",
)
END_OF_DAY = "نهاية اليوم"
APOLOGY = "نعتذر عن التأخير، معك مديرة خدمة العملاء، طلب حضرتك أمامي الآن."
WELCOME = "العفو يا فندم، تحت أمر حضرتك في أي وقت."
NOTES = (
	"العميلة تفضل الاتصال قبل التوصيل",
	"عنده حساسية من البنسلين",
	"عميل دائم",
	"يحتاج فاتورة باسم الشركة",
)
TRANSFER_REASONS = ("الصنف في فرع آخر", "يحتاج صيدلي", "متابعة طلب سابق", "انتهت ورديتي")
OBJECTIONS = ("كنت مع عميل في الفرع", "العميل كتب بعد انتهاء الوردية", "النت كان مقطوع في الفرع")
DECISION = "تمت المراجعة مع مدير الفرع"
TAGS = ("توصيل", "تأمين", "روشتة", "شكوى", "عميل دائم")


def story(rng: Random) -> list[Line]:
	"""A whole conversation, with its slots filled."""
	return _lines(rng, rng.choices([text for _, text in STORIES], [weight for weight, _ in STORIES])[0])


def opening(rng: Random) -> list[Line]:
	"""What somebody writes first, with no answer yet."""
	return _lines(rng, rng.choice(SHORT))


def sequel(rng: Random) -> list[Line]:
	"""What somebody writes who comes back after the closing."""
	return _lines(rng, rng.choice(AGAIN))


def reply_to_campaign(rng: Random) -> list[Line]:
	"""What somebody asks who got an offer."""
	return _lines(rng, rng.choice(ON_CAMPAIGN))


# -- single texts, for who plays messages rather than conversations
def question(rng: Random) -> str:
	"""What somebody may begin with."""
	return _filled(rng, rng.choice(_TEXTS.questions))


def remark(rng: Random) -> str:
	"""What somebody may write on."""
	return _filled(rng, rng.choice(_TEXTS.remarks))


def answer(rng: Random) -> str:
	"""What one of ours may answer, to anything."""
	return _filled(rng, rng.choice(_TEXTS.answers))


def caption(rng: Random) -> str:
	"""What may stand under a picture or a file; nothing, now and then."""
	return rng.choice(_TEXTS.captions)


def thanks(rng: Random) -> str:
	"""What asks for no answer."""
	return rng.choice(SLOTS["thanks"])


def is_thanks(text: str) -> bool:
	"""Whether a text asks for no answer."""
	return text in SLOTS["thanks"]


class _Texts(NamedTuple):
	"""The stories taken apart, slots still empty."""

	questions: list[str]
	remarks: list[str]
	answers: list[str]
	captions: list[str]


def _take_apart() -> _Texts:
	pieces = _Texts([], [], [], [""])
	for _, story in STORIES:
		has_answer = False
		for line in map(_line, story.splitlines()):
			has_answer |= line.is_ours
			if line.is_ours:
				pieces.answers.append(line.body)
			elif line.kind != "text":
				pieces.captions.append(line.body)
			elif line.body != "{thanks}":
				(pieces.remarks if has_answer else pieces.questions).append(line.body)
	return pieces


def _filled(rng: Random, text: str) -> str:
	return text.format(**{name: rng.choice(choices) for name, choices in SLOTS.items()})


def _lines(rng: Random, text: str) -> list[Line]:
	values = {name: rng.choice(choices) for name, choices in SLOTS.items()}
	return [_line(row.format(**values)) for row in text.splitlines()]


def _line(row: str) -> Line:
	mark, _, body = row.partition(" ")
	side, _, kind = mark.partition(":")
	return Line(side == "a", kind or "text", body)


_TEXTS = _take_apart()
