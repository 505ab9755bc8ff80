"""The figures of each day, in the admin."""

from reporting.admin.daily import DailyMetricAdmin

__all__ = ["DailyMetricAdmin"]
