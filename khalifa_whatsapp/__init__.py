"""One WhatsApp number for many people: a help desk inside Frappe Desk."""

__version__ = "0.1.0"
