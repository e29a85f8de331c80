"""The use cases: each takes a store, perhaps a driver, and the time, and is one transaction (a `UnitOfWork`).

By subject, and each may import those before it: `tickets`, `customers`, `outbound`, `inbound`.
"""
