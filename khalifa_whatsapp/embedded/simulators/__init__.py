"""Stand-ins for the gateways: HTTP servers on this machine that speak their formats and fail as they do."""

from khalifa_whatsapp.embedded.simulators.cloud_api import CloudApiSimulator
from khalifa_whatsapp.embedded.simulators.deliveries import Faults, Post, Report
from khalifa_whatsapp.embedded.simulators.server import Ledger, Sent
from khalifa_whatsapp.embedded.simulators.whatsapp_web import WhatsAppWebSimulator
from khalifa_whatsapp.embedded.simulators.wire import Person
from khalifa_whatsapp.embedded.simulators.wppconnect import WppConnectSimulator

__all__ = [
	"CloudApiSimulator",
	"Faults",
	"Ledger",
	"Person",
	"Post",
	"Report",
	"Sent",
	"WhatsAppWebSimulator",
	"WppConnectSimulator",
]
