"""WPPConnect Server: WhatsApp Web in a browser, behind a REST endpoint. Unofficial."""

from khalifa_whatsapp.drivers.wppconnect.driver import WppConnectDriver

__all__ = ["WppConnectDriver"]
