"""Where things are on WhatsApp's page: for each, what to look for, in this order; the first that finds
something counts.

The page is undocumented, in the account's language, and tested differently on different people. So what does
not depend on a language comes first, then words in English and Arabic; never its classes with hashed names,
which change weekly. When the page changes, this is the file to change.
"""

from __future__ import annotations

from collections.abc import Mapping

CSS, XPATH = "css selector", "xpath"
Places = tuple[tuple[str, str], ...]


def css(*values: str) -> Places:
	"""Places named by CSS."""
	return tuple((CSS, value) for value in values)


def icons(*names: str, within: str = "") -> Places:
	"""Icons by name: their names outlive most of what is around them."""
	return css(*(f'{within} [data-icon="{name}"]'.strip() for name in names))


def containing(element: str, *texts: str) -> Places:
	"""Elements that hold one of these words."""
	tests = " or ".join(f'contains(normalize-space(.), "{one}")' for one in texts)
	return ((XPATH, f".//{element}[{tests}]"),)


PLACES: Mapping[str, Places] = {
	# which page is this
	"chats": css(
		"#pane-side",
		"#side",
		'[data-testid="chat-list"]',
		'[aria-label="Chat list"]',
		'[aria-label="قائمة الدردشات"]',
	),
	"code": css("[data-ref] canvas", "canvas[data-ref]"),
	"code_holder": css("[data-ref]"),
	"code_renew": css("[data-ref] button", "button[data-ref]", '[data-ref] [role="button"]'),
	"pairing": css("[data-link-code]", '[aria-details="link-device-phone-number-code-screen-instructions"]'),
	"loading": css(
		"progress", '[role="progressbar"]', '[data-testid="startup"]', "#startup", "#initial_startup"
	),
	"dialog": css('[role="dialog"]', '[data-animate-modal-popup="true"]', '[data-testid="confirm-popup"]'),
	"busy": css("progress", '[role="progressbar"]', '[data-icon="spinner"]', "svg circle"),
	"button": css("button", '[role="button"]'),
	"conflict": containing(
		"*[@role='dialog']", "another window", "Use here", "نافذة أخرى", "الاستخدام هنا", "استخدام هنا"
	),
	"blocked": (
		*containing(
			"h1", "Update Google Chrome", "Update Chrome", "WhatsApp works with", "تحديث Google Chrome"
		),
		*containing(
			"*[@role='dialog' or @role='alert']",
			"not allowed to use WhatsApp",
			"account is restricted",
			"account has been restricted",
			"ليس مسموحًا لك باستخدام واتساب",
			"تم تقييد",
			"حسابك مقيد",
		),
		*css('[data-testid="unsupported-browser"]', '[data-testid="account-restricted"]'),
	),
	"offline": icons("alert-computer", "alert-offline") + css('[data-testid="alert-computer"]'),
	"phone_offline": icons("alert-phone") + css('[data-testid="alert-phone"]'),
	# the open chat
	"main": css("#main", '[data-testid="conversation-panel-wrapper"]'),
	"header": css("#main header", '[data-testid="conversation-header"]'),
	"title": css('[data-testid="conversation-info-header-chat-title"]', "span[title]", 'span[dir="auto"]'),
	"composer": css(
		'#main footer div[contenteditable="true"][data-tab="10"]',
		'#main footer [role="textbox"][data-lexical-editor="true"]',
		'#main footer [role="textbox"][contenteditable="true"]',
		'#main footer div[contenteditable="true"]',
	),
	"send": (
		*icons("wds-ic-send-filled", "send", within="#main footer"),
		*css(
			'#main footer [data-testid="send"]',
			'#main footer [data-testid="compose-btn-send"]',
			'#main footer button[aria-label="Send"]',
			'#main footer button[aria-label="إرسال"]',
		),
	),
	# what is said in it
	"bubble": css("#main [data-id]", "#main .message-out, #main .message-in"),
	"stamp": css("[data-pre-plain-text]"),
	"body": css("span.selectable-text", '[data-testid="selectable-text"]'),
	"quoted": css(
		'[data-testid="quoted-message"]', '[aria-label="Quoted message"]', '[aria-label="رسالة مقتبسة"]'
	),
	"more": css('#main [data-testid="read-more-button"]', "#main .read-more-button"),
	"failed": icons("msg-error", "error", "alert-circle"),
	"read": css(
		'[data-icon="msg-dblcheck"][aria-label*="Read" i]',
		'[data-icon="msg-dblcheck"][aria-label*="مقروء"]',
		'[data-icon="msg-dblcheck"][aria-label*="تمت القراءة"]',
		'[data-icon="msg-dblcheck-ack"]',
	),
	"delivered": icons("msg-dblcheck"),
	"sent": icons("msg-check"),
	"clock": icons("msg-time", "status-time"),
	"voice": icons("ptt-status", "audio-play", "mic") + css("audio"),
	"video": icons("media-play", "msg-video") + css("video"),
	"document": css('[data-icon^="document"]', '[data-icon="audio-download"]'),
	"image": css(
		'[data-testid="image-thumb"]',
		'[data-testid="media-url-provider"] img',
		'img[src^="blob:"]',
		'img[src^="data:"]',
	),
	# who is in it
	"drawer": css('[data-testid="contact-info-drawer"]', '[data-testid="chat-info-drawer"]', "#app section"),
	"drawer_close": icons("x", "close", "close-refreshed", "x-refreshed"),
	# the list of chats
	"row": css(
		'#pane-side [role="listitem"]',
		'#pane-side [role="row"]',
		'#pane-side [data-testid="cell-frame-container"]',
	),
	"row_title": css('[data-testid="cell-frame-title"] span[title]', "span[title]"),
	"unread": css(
		'[data-testid="icon-unread-count"]', '[aria-label*="unread" i]', '[aria-label*="غير مقروء"]'
	),
	"group": icons("default-group", "default-group-refreshed", "default-community"),
	# files
	"attach": (
		*icons("plus-rounded", "plus", "attach-menu-plus", "clip", within="#main footer"),
		*css('#main footer [aria-label="Attach"]', '#main footer [aria-label="إرفاق"]'),
	),
	"image_input": css('input[type="file"][accept*="video/mp4"]', 'input[type="file"][accept*="image/*"]'),
	"file_input": css('input[type="file"][accept="*"]', 'input[type="file"]:not([accept])'),
	"caption": css(
		'[data-testid="media-caption-input-container"] [contenteditable="true"]',
		'[contenteditable="true"][data-tab="undefined"]',
		'[contenteditable="true"][role="textbox"]',
	),
	"preview_send": icons("wds-ic-send-filled", "send") + css('[aria-label="Send"]', '[aria-label="إرسال"]'),
	# leaving
	"menu": icons("more-refreshed", "menu")
	+ css('header [aria-label="Menu"]', 'header [aria-label="القائمة"]'),
	"log_out": (
		*icons("logout", "logout-refreshed", "exit"),
		*containing("*[@role='menuitem' or @role='button' or self::li]", "Log out", "تسجيل الخروج"),
	),
}
