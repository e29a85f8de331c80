"""Campaigns: who gets one, its plan, its run, its results."""
