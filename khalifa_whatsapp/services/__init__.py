"""The use cases. Each takes a store, perhaps a driver, and the time; each is one transaction."""
