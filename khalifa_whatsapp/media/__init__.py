"""Adapters to libraries that read and write sound."""
