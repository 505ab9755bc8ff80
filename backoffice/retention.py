"""What of logins is forgotten: sessions that are over, and wrong passwords of long ago. The log has a line for each."""

from collections.abc import Iterator
from datetime import datetime

from axes.models import AccessAttempt
from django.contrib.sessions.models import Session

from sync.upkeep.archive import Kind


def kinds(*, before: datetime) -> Iterator[Kind]:
    """Never kept in a file: a session's key is as good as a password."""
    yield Kind("sessions", Session.objects.filter(expire_date__lt=before), "expire_date", is_kept=False)
    yield Kind("login-attempts", AccessAttempt.objects.filter(attempt_time__lt=before), "attempt_time", is_kept=False)
