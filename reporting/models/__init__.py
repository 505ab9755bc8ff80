from reporting.models.daily import DailyMetric
from reporting.models.mail import ReportDelivery, ReportMail

__all__ = ["DailyMetric", "ReportDelivery", "ReportMail"]
