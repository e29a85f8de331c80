"""WhatsApp Web in a browser of our own, driven by Selenium.

Unofficial: the page promises nothing and changes.
"""

from khalifa_whatsapp.drivers.whatsapp_web.driver import WhatsAppWebDriver

__all__ = ["WhatsAppWebDriver"]
