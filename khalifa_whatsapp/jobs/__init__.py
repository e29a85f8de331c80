"""Endpoints for the scheduler and the workers. Each wakes a use case; none decides anything."""
