"""The host without Frappe: one process, one SQLite file, simulated gateways. `./run` starts it from here.

It is no part of the installed app, which never imports it. The simulated company itself (its people, what
is said, the rhythm of its day) is in `khalifa_whatsapp.demo`: played here with simulated gateways and
faults, and by `bench … khalifa-demo` as a month of data on a site.
"""
