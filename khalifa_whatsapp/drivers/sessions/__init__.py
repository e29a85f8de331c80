"""Browsers that one long process owns: leases, processes, Chrome, and the registry that holds them together.

`registry.SessionRegistry` is what hosts use. Whoever needs a browser's page gets it in the session's own
thread.
"""
