"""Stand-ins for the gateways: HTTP servers on this machine that speak their formats and fail as they do."""

from khalifa_whatsapp.embedded.simulators.cloud_api import CloudApiSimulator
from khalifa_whatsapp.embedded.simulators.server import SentLog, SentMessage
from khalifa_whatsapp.embedded.simulators.webhooks import Faults, Post, Report
from khalifa_whatsapp.embedded.simulators.whatsapp_web import WhatsAppWebSimulator
from khalifa_whatsapp.embedded.simulators.wire import Person
from khalifa_whatsapp.embedded.simulators.wppconnect import WppConnectSimulator

__all__ = [
	"CloudApiSimulator",
	"Faults",
	"Person",
	"Post",
	"Report",
	"SentLog",
	"SentMessage",
	"WhatsAppWebSimulator",
	"WppConnectSimulator",
]
