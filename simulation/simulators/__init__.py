"""Stand-ins for the gateways: HTTP servers on this machine that speak their formats and fail as they do."""

from simulation.simulators.cloud_api import CloudApiSimulator
from simulation.simulators.server import SentLog, SentMessage
from simulation.simulators.webhooks import Faults, Post, Report
from simulation.simulators.whatsapp_web import WhatsAppWebSimulator
from simulation.simulators.wire import Person
from simulation.simulators.wppconnect import WppConnectSimulator

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
