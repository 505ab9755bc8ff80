"""The figures of each day, reports, and the schedule, in the admin."""

from reporting.admin.daily import DailyMetricAdmin
from reporting.admin.mails import ReportDeliveryAdmin, ReportMailAdmin
from reporting.admin.schedule import ScheduleAdmin

__all__ = ["DailyMetricAdmin", "ReportDeliveryAdmin", "ReportMailAdmin", "ScheduleAdmin"]
