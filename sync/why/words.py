"""Rows as the core of the explanation knows them."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.utils import timezone

from connectors.models import Connection
from kit.zones import zone_is_known
from sync.core.why.facts import PutOff as PutOffFacts
from sync.core.why.facts import Try, Write
from sync.core.why.policy import RuleRow
from sync.core.why.steps import ZERO
from sync.limits import limits
from sync.models import OutboundWrite, PutOff, SyncPolicy
from sync.selectors import last_try_of


def zone_of(connection: Connection) -> ZoneInfo:
    """Result: the till's time zone; the machine's own where that is not known here."""
    name = connection.time_zone
    return ZoneInfo(name if zone_is_known(name) else timezone.get_current_timezone_name())


def write_of(row: OutboundWrite | None) -> Write | None:
    """Result: a write, as far as it matters to what a system shows."""
    if row is None:
        return None
    until = row.next_attempt_at
    return Write(row.pk, _try(row), row.delta or ZERO, row.owed, row.sent_at, until, row.error, row.is_released)


def _try(row: OutboundWrite) -> Try:
    if row.state == row.State.PENDING:
        return Try.PENDING
    if row.state in row.UNANSWERED:
        return Try.UNANSWERED
    if row.state not in row.FAILED:
        return Try.DONE
    return Try.HELD if last_try_of(row).is_bad(attempts=limits().attempts) else Try.FAILED


def put_off_of(row: PutOff | None) -> PutOffFacts | None:
    return PutOffFacts(row.times, row.since, row.why) if row else None


def rule_rows(rows: Iterable[SyncPolicy], *, store: str) -> list[RuleRow]:
    """Result: rules, each with what it was made for in words; no further statement is asked."""
    return [
        RuleRow(
            f"{'this product' if row.item_id else f'“{row.category}”' if row.category else 'all products'} in "
            f"{store if row.connection_id else 'every store'}",
            row.policy, row.minor_to, row.major_to, row.review_major, row.pk,
        )
        for row in rows
    ]  # fmt: skip
