"""Trials of the outbox: each fault of the catalogue against real sockets and real processes,
and what came of it.
"""
