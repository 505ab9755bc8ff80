"""Alerts, thresholds and channels, in the admin."""
