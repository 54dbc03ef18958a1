"""Alerts: which rules a district has, what they find, and how people are told."""
