"""Stand-ins for the gateways: HTTP servers on this machine that speak their formats and fail as they do."""

from simulation.simulators.cloud_api import CloudApiSimulator
from simulation.simulators.deliveries import Faults, Post, Report
from simulation.simulators.server import Ledger, Sent
from simulation.simulators.whatsapp_web import WhatsAppWebSimulator
from simulation.simulators.wire import Person
from simulation.simulators.wppconnect import WppConnectSimulator

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
