"""The figures of each day, and the schedule, in the admin."""

from reporting.admin.daily import DailyMetricAdmin
from reporting.admin.schedule import ScheduleAdmin

__all__ = ["DailyMetricAdmin", "ScheduleAdmin"]
