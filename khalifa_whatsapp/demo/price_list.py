"""The price list of the demonstration and of the simulation; the product itself comes without one."""

from __future__ import annotations

# Meta's card for Egypt of 1 October 2026, in dirhams; an example, not a promise
RATES = {"service": "0.0132", "utility": "0.0132", "authentication": "0.0132", "marketing": "0.2364"}
CURRENCY, FROM_DATE = "AED", "2020-01-01"  # a demonstration's month may be any
