"""The host without Frappe: one process, one SQLite file, simulated gateways."""
