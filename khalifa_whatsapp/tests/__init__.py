"""Tests that run inside a site, from a checkout: there the simulated gateways (`simulation/`) lie beside."""

import sys
from pathlib import Path

CHECKOUT = str(Path(__file__).resolve().parents[2])

if CHECKOUT not in sys.path:
	sys.path.insert(0, CHECKOUT)
