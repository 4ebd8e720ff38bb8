"""Outcomes and results kept by content, and their maintenance."""
