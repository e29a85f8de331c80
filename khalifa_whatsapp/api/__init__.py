"""Endpoints for people and gateways: guard, parse, one service call, a plain dict."""
