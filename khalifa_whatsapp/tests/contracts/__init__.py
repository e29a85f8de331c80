"""Contract suites: what every implementation of a port must do, as mixins for tests."""
