"""The rules: plain data in, plain data out.

Nothing here knows Frappe, a database, the network or the clock.
"""
