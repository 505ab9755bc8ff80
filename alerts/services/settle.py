"""What was found becomes alerts: opened once while the cause lasts, taken up again when it soon comes back, resolved when it is
gone, passed to the lead when it lasts. Two passes at a time do no harm: a constraint refuses the second, which then does nothing.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import F
from simple_history.utils import bulk_create_with_history

from alerts.models import Alert, Notification
from alerts.rules.words import Code, Finding, Severity, escalates
from alerts.services.queue import Told, notifications_queue
from kit.bulk import chunks
from kit.rows import rows_update

logger = logging.getLogger(__name__)
State, Occasion = Alert.State, Notification.Occasion
COMES_BACK = timedelta(minutes=30)  # a cause that was gone for less is the same one
ASKED_AGAIN = timedelta(hours=24)  # a person said it was dealt with, and it is still so
_SAID = ("severity", "title", "words", "next_step", "run_id")
_KEPT = [
    *("severity", "title", "words", "next_step", "figures", "run", "since", "round", "came_back", "state", "snoozed_until"),
    *("cause_gone_at", "escalated_at", "retried_at", "resolved_at", "resolved_by", "last_seen_at"),
]


@dataclass(slots=True)
class Settled:
    """What one pass did, by number."""

    opened: int = 0
    returned: int = 0
    changed: int = 0
    escalated: int = 0
    gone: int = 0
    is_busy: bool = False


class Known(NamedTuple):
    """What must be known of an alert to tell whether anything about it changes."""

    pk: int
    rule: str
    subject: str
    state: str
    severity: int
    title: str
    words: str
    next_step: str
    run_id: int | None
    since: datetime
    snoozed_until: datetime | None
    escalated_at: datetime | None
    resolved_at: datetime | None

    @property
    def key(self) -> tuple[str, str]:
        return (self.rule, self.subject)


def alerts_settle(*, findings: Iterable[Finding], codes: Collection[Code], now: datetime) -> Settled:
    """Bring the alerts of these rules in line with what was found now, and queue what people must hear. Result: what was done;
    `is_busy`: another pass did the same at the same time, and this one did nothing."""
    found = {(finding.code.value, finding.subject): finding for finding in findings}
    try:
        with transaction.atomic():
            return _Pass(found, codes, now).work()
    except IntegrityError:
        logger.info("Another look at the alerts was quicker.")
        return Settled(is_busy=True)


@dataclass(slots=True)
class _Pass:
    found: dict[tuple[str, str], Finding]
    codes: Collection[Code]
    now: datetime
    done: Settled = field(default_factory=Settled)
    told: list[Told] = field(default_factory=list)

    def work(self) -> Settled:
        live = {known.key: known for known in self._known(cause_gone_at=None)}
        fresh = [key for key in self.found if key not in live]
        back = self._lately_gone(fresh)
        self._open([self.found[key] for key in fresh if key not in back])
        self._change({known.pk: known for known in back.values()}, self._take_up)
        self._change({known.pk: known for key, known in live.items() if key not in self.found}, self._let_go)
        self._change({known.pk: known for key, known in live.items() if key in self.found and self._differs(known)}, self._renew)
        # Being seen again is no change: no history, and one statement.
        seen = Alert.objects.filter(rule__in=self.codes, cause_gone_at=None)
        seen.update(last_seen_at=self.now, times_seen=F("times_seen") + 1)
        notifications_queue(told=self.told, now=self.now)
        return self.done

    def _known(self, **which: Any) -> Iterator[Known]:
        rows = Alert.objects.filter(rule__in=self.codes, **which).order_by("cause_gone_at", "pk")
        return (Known(*row) for row in rows.values_list(*Known._fields))

    def _lately_gone(self, fresh: list[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """Result: by rule and subject, the newest alert whose cause is back after having been gone for a moment."""
        if not fresh:
            return {}
        wanted = set(fresh)
        gone = self._known(cause_gone_at__gt=self.now - COMES_BACK)
        return {known.key: known for known in gone if known.key in wanted}

    def _open(self, findings: list[Finding]) -> None:
        rows = [
            Alert(
                rule=finding.code.value,
                subject=finding.subject,
                connection_id=finding.connection_id,
                item_id=finding.item_id,
                listing_id=finding.listing_id,
                since=finding.since or self.now,
                opened_at=self.now,
                last_seen_at=self.now,
                times_seen=0,  # the statement that counts every look counts this one too
            )
            for finding in findings
        ]
        for row, finding in zip(rows, findings, strict=True):
            self._say(row, finding)
        for part in chunks(rows):
            bulk_create_with_history(part, Alert, batch_size=500, default_change_reason="Found")
        self.done.opened = len(rows)
        self.told += [Told(row, Occasion.ALERT) for row in rows]
        for row in rows:
            self._escalate(row)
        late = [row for row in rows if row.escalated_at]
        rows_update(late, ["severity", "escalated_at"])

    def _change(self, known: dict[int, Known], change: Callable[[Alert], None]) -> None:
        """Load these alerts, change each, and store it; history only where more than its words changed."""
        for pks in chunks(known, 500):
            rows = list(Alert.objects.select_for_update().filter(pk__in=pks).order_by("pk"))
            for row in rows:
                change(row)
            rows_update(rows, _KEPT)
            noted = [row for row in rows if (row.state, row.severity) != (known[row.pk].state, known[row.pk].severity)]
            if noted:
                Alert.history.bulk_history_create(noted, update=True, default_change_reason="Looked at again")

    def _differs(self, known: Known) -> bool:
        finding = self.found[known.key]
        severity = max(finding.grade, Severity.CRITICAL) if known.escalated_at else finding.grade
        said = (severity, finding.title[:300], finding.words, finding.next_step, finding.run_id)
        if any(getattr(known, name) != value for name, value in zip(_SAID, said, strict=True)):
            return True
        return self._is_due(known.state, known.snoozed_until, known.resolved_at) or (
            known.escalated_at is None and known.state != State.RESOLVED and escalates(finding.code, known.since, self.now)
        )

    def _is_due(self, state: str, snoozed_until: datetime | None, resolved_at: datetime | None) -> bool:
        """Result: people must hear of it again: its snooze is over, or it is still so a day after somebody dealt with it."""
        if state == State.SNOOZED:
            return snoozed_until is not None and snoozed_until <= self.now
        return state == State.RESOLVED and resolved_at is not None and self.now - resolved_at >= ASKED_AGAIN

    def _renew(self, row: Alert) -> None:
        before = row.severity
        self._say(row, self.found[row.rule, row.subject])
        worse = row.severity > before and row.state != State.OPEN
        if worse or self._is_due(row.state, row.snoozed_until, row.resolved_at):
            self._reopen(row)
            self.told.append(Told(row, Occasion.ALERT))
        if row.state != State.RESOLVED:
            self._escalate(row)
        self.done.changed += 1

    def _take_up(self, row: Alert) -> None:
        """A cause that comes and goes is told once; one that a person had dealt with is told again."""
        was_dealt_with = row.state == State.RESOLVED
        finding = self.found[row.rule, row.subject]
        row.came_back += 1
        row.since, row.escalated_at, row.retried_at = finding.since or self.now, None, None
        self._say(row, finding)
        self._reopen(row)
        if was_dealt_with:
            self.told.append(Told(row, Occasion.ALERT))
        self._escalate(row)
        self.done.returned += 1

    def _let_go(self, row: Alert) -> None:
        row.cause_gone_at = self.now
        row.snoozed_until = None
        if row.state != State.RESOLVED:
            row.state = State.GONE
            row.resolved_at = self.now
        self.done.gone += 1

    def _say(self, row: Alert, finding: Finding) -> None:
        row.severity = max(finding.grade, Severity.CRITICAL) if row.escalated_at else finding.grade
        row.title, row.words, row.next_step = finding.title[:300], finding.words, finding.next_step
        row.figures, row.run_id = dict(finding.figures), finding.run_id
        row.last_seen_at = self.now

    def _reopen(self, row: Alert) -> None:
        row.state, row.snoozed_until, row.cause_gone_at = State.OPEN, None, None
        row.resolved_at = row.resolved_by = None
        row.round += 1

    def _escalate(self, row: Alert) -> None:
        if row.escalated_at is None and escalates(row.code, row.since, self.now):
            row.escalated_at, row.severity = self.now, Severity.CRITICAL
            self.done.escalated += 1
            self.told.append(Told(row, Occasion.ESCALATION))
