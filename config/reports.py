"""What a report of an error may show (reliability.md, 42): to the operator by mail, and on Django's debug page."""

import re
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class ReportFilter(SafeExceptionReporterFilter):
    """Django hides what a view names as secret. This hides what has a secret's name, in whichever form it was posted, and
    addresses of services, which may hold a password."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|CREDENTIAL|BROKER|DATABASE|_URL", re.IGNORECASE
    )

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        shown: dict[str, Any] = super().get_post_parameters(request)
        return {name: self.cleansed_substitute if self.hidden_settings.search(name) else value for name, value in shown.items()}
