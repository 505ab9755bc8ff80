"""What people do with alerts. Each change has a name and a moment in the history."""

from collections.abc import Callable, Collection
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from simple_history.utils import bulk_update_with_history

from alerts.models import Alert
from connectors.errors import ConfigError
from kit.bulk import UPDATE_CHUNK, reason_text

State = Alert.State
FIELDS = ["state", "snoozed_until", "assigned_to", "resolved_at", "resolved_by", "notes"]
OPEN = (State.OPEN, State.SNOOZED)


def alerts_snooze(*, alerts: Collection[Alert], until: datetime, by: User, now: datetime) -> int:
    """Hide these until then; they come back by themselves if the cause lasts. What is over stays as it is. Result: how many.
    Raises ConfigError for a moment that has passed."""
    if until <= now:
        raise ConfigError("That moment has passed.", next_step="Choose a later one.", code="snooze_past")

    def snooze(alert: Alert) -> None:
        alert.state, alert.snoozed_until = State.SNOOZED, until

    return _each(alerts, OPEN, snooze, by=by, reason="Snoozed")


def alerts_assign(*, alerts: Collection[Alert], to: User | None, by: User) -> int:
    """Say who looks after these; None: nobody in particular. Result: how many changed."""

    def assign(alert: Alert) -> None:
        alert.assigned_to = to

    return _each(alerts, tuple(State), assign, by=by, reason=f"Assigned to {to}" if to else "Assigned to nobody")


def alerts_resolve(*, alerts: Collection[Alert], notes: str, by: User, now: datetime) -> int:
    """Somebody has dealt with these. While the cause lasts they stay quiet for a day, then they open again. Result: how many.
    Raises ConfigError without notes."""
    if not notes.strip():
        raise ConfigError("Say what was done: it is kept with the alert.", next_step="Write a note.", code="no_notes")

    def resolve(alert: Alert) -> None:
        alert.state, alert.snoozed_until = State.RESOLVED, None
        alert.resolved_at, alert.resolved_by, alert.notes = now, by, notes.strip()

    return _each(alerts, OPEN, resolve, by=by, reason="Resolved")


def alerts_reopen(*, alerts: Collection[Alert], by: User) -> int:
    """Take back a snooze, or that somebody has dealt with it. What is over stays so. Result: how many."""

    def reopen(alert: Alert) -> None:
        alert.state, alert.snoozed_until = State.OPEN, None
        alert.resolved_at = alert.resolved_by = None

    return _each(alerts, (State.SNOOZED, State.RESOLVED), reopen, by=by, reason="Opened again", lasting=True)


def _each(
    alerts: Collection[Alert],
    states: Collection[str],
    change: Callable[[Alert], None],
    *,
    by: User,
    reason: str,
    lasting: bool = False,
) -> int:
    """Change those that are still in one of these states, in one transaction."""
    with transaction.atomic():
        wanted = Alert.objects.select_for_update().filter(pk__in=[alert.pk for alert in alerts], state__in=states).order_by("pk")
        rows = list(wanted.filter(cause_gone_at=None) if lasting else wanted)
        for row in rows:
            change(row)
        bulk_update_with_history(
            rows, Alert, FIELDS, batch_size=UPDATE_CHUNK, default_user=by, default_change_reason=reason_text(reason)
        )
        return len(rows)
