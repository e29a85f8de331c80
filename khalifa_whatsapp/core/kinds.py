"""What came, by its code: the sentence that says it where a message has no words, and the sign before it.

Each reader gets the sentence in his or her own language, so only codes are stored and handed on.
"""

from __future__ import annotations

MESSAGES = {
	"image": "Picture",
	"video": "Video",
	"audio": "Audio",
	"voice": "Voice message",
	"document": "File",
	"sticker": "Sticker",
	"location": "Location",
	"live_location": "Live location",
	"contacts": "Contact card",
	"order": "Order",
	"product": "Product",
	"template": "Template",
	"poll": "Poll",
	"poll_none": "A vote in a poll was taken back",
	"flow_reply": "A form was filled in",
	"call_allowed": "The customer allows calls",
	"call_refused": "The customer does not allow calls",
	"call_ringing": "The customer is calling",
	"call_rang": "The customer called",
	"call_missed": "Missed call",
	"call_answered": "Call, answered",
	"call_out_ringing": "We are calling the customer",
	"call_out_rang": "We called the customer",
	"call_out_missed": "We called, not answered",
	"call_out_answered": "We called, answered",
	"missing": "A message that has not arrived yet",
	"revoked": "This message was taken back.",
	"empty": "A message without text",
	"unknown": "A kind of message that is not known here",
	"unsupported": "A kind of message that can't be shown here",
	"unsupported_view_once": "A picture, video or voice message that can be opened once",
	"unsupported_poll_update": "A vote in a poll",
	"unsupported_event": "An event",
	"unsupported_group_invite": "An invitation to a group",
	"unsupported_reaction": "A reaction",
	"unsupported_gif": "An animated picture",
	"file_lost": "A file that WhatsApp could not deliver: too big or damaged",
	"not_handed_over": "A message that WhatsApp has not handed over",
	"not_delivered": "A message that WhatsApp could not deliver",
	# what to do about it
	"on_phone": "It can be read on the phone.",
	"in_business_app": (
		"It can be read in the WhatsApp Business app if this number is used there; if not, ask the "
		"customer to send it again."
	),
	"ask_again": "Ask the customer to send it in another way.",
	"edited_only": "It was edited; what was written first did not arrive.",
	# what stands beside it
	"forwarded": "Forwarded",
	"requested": "Sent because we asked for it",
	"ad": "From an advertisement",
	"about_product": "Asks about the product",
	"video_call": "Video call",
	"talk": "Length",
}
ICONS = {
	"image": "📷",
	"video": "🎬",
	"audio": "🎵",
	"voice": "🎤",
	"document": "📄",
	"sticker": "🖼",
	"location": "📍",
	"contacts": "👤",
	"order": "🛒",
	"product": "🛍",
	"template": "📋",
	"poll": "📊",
	"poll_reply": "📊",
	"flow_reply": "📝",
	"call": "📞",
	"call_permission": "📞",
	"missing": "⏳",
	"unsupported": "❔",
	"unknown": "❔",
}
AD_ICON, REVOKED_ICON = "📢", "🚫"
# Sentences that say a part of a kind, or the end of one
LABEL_ICONS = {
	"revoked": REVOKED_ICON,
	"live_location": ICONS["location"],
	"poll_none": ICONS["poll"],
	"unsupported_poll_update": ICONS["poll"],
	"unsupported_gif": ICONS["video"],
	"file_lost": ICONS["document"],
	"empty": "",
}
# What a message can be; `text` and the replies are words, what is not named here is `unknown`
KINDS = frozenset({*ICONS, "text", "button_reply", "list_reply", "choices", "system", "reaction"})
# Meta's codes beside a message that it could not hand over
BY_ERROR = {
	131052: "file_lost",  # media download error: too big, damaged, or gone
	131060: "not_handed_over",  # the first message to a number that is also in the phone's app
	131000: "not_delivered",  # something went wrong
}
# How Meta and WhatsApp Web call kinds that nobody gets whole; a poll's question may be known all the same
BY_TYPE = {
	"poll_creation": "poll",
	"poll_update": "unsupported_poll_update",
	"view_once": "unsupported_view_once",
	"event_creation": "unsupported_event",
	"event": "unsupported_event",
	"group_invite": "unsupported_group_invite",
	"groups_v4_invite": "unsupported_group_invite",
	"reaction": "unsupported_reaction",
	"gif": "unsupported_gif",
	"oversized": "file_lost",
	"video_note": "video",
	"ptv": "video",
	"live_location": "live_location",
	**{
		kind: kind
		for kind in (
			"image",
			"video",
			"audio",
			"document",
			"sticker",
			"location",
			"contacts",
			"order",
			"product",
		)
	},
}
UNREAD = frozenset({"missing", "unknown", "unsupported"})  # more can be said elsewhere, or never


def label_icon(label: str) -> str:
	"""The sign before a sentence."""
	if label.startswith("call_"):
		return ICONS["call"]
	return LABEL_ICONS.get(label, ICONS.get(label, ICONS["unsupported"]))
