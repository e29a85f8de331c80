"""The official WhatsApp Cloud API of Meta."""

from khalifa_whatsapp.drivers.cloud_api.driver import CloudApiDriver

__all__ = ["CloudApiDriver"]
