"""Reports by mail: opened once for each period and address, claimed, made, sent, recorded.

A worker killed while a report is made leaves it to be made again; one killed while the mail server had it leaves it held, since
it may have arrived (ledger.md §6: what is unknown is never sent again blindly). The Message-ID stays the same.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import F

from alerts.channels.email import mail_send
from alerts.rules.systems import report_not_sent
from alerts.rules.words import Code
from alerts.services.settle import alerts_settle
from connectors.errors import ConfigError, ConnectorError, RejectedError, UnknownOutcomeError
from connectors.models import Connection
from reporting.core.report import Every, Report, Span, newest_due, span_ending
from reporting.mails.letter import report_as_mail
from reporting.models import ReportDelivery, ReportMail
from reporting.reports.found import scope_of
from reporting.reports.make import report_make
from reporting.selectors import reports_unsent

logger = logging.getLogger(__name__)
State = ReportDelivery.State
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))  # a mail server may be down for a night's work
ATTEMPTS = len(PAUSES) + 1
LOST_AFTER = timedelta(minutes=10)  # longer than the task may take
STOPPED = "Its worker was stopped while it was made; the worker's log says why."
KILLED = "Its worker was killed while the mail server had it, so it may have arrived. Ask, then press Send again."


@dataclass(slots=True)
class Mailed:
    """What one pass did, by number."""

    opened: int = 0
    sent: int = 0
    failed: int = 0


_Made = dict[tuple[int | None, str, date], Report]  # reports of one pass, each made once for all who get it


class _Taken(Exception):  # noqa: N818 - nobody's error
    """Somebody else has it by now."""


def reports_mail(*, now: datetime) -> Mailed:
    """Send each report that is due to each address, once. Two passes at once share the work. Result: what was done."""
    _recover(now)
    done, made = Mailed(opened=_open(now)), _Made()
    due = ReportDelivery.objects.filter(state=State.PENDING, next_attempt_at__lte=now)
    for row in due.select_related("mail", "store").order_by("pk"):
        if not _claim(row, now):
            continue
        if row.mail is None or not row.mail.is_active:
            ReportDelivery.objects.filter(pk=row.pk).update(state=State.DROPPED)
            continue
        error = _deliver(row, made, now)
        done.sent, done.failed = done.sent + (error is None), done.failed + (error is not None)
        if error is not None and not isinstance(error, RejectedError):
            break  # nothing gets through: the others wait for the next look, and it is no attempt of theirs
    reports_watch(now=now)
    return done


def report_mail_now(*, user: User, span: Span, now: datetime) -> ConnectorError | None:
    """Send somebody a report at once. Result: why it did not go out; None: it did. It is not tried again."""
    if not user.email:
        return ConfigError("Your account has no e-mail address.", next_step="An administrator adds it under People.")
    mine = ReportDelivery.objects.filter(asked_by=user, every=span.every.value, last=span.last, to=user.email)
    if mine.filter(claimed_at__gt=now - timedelta(minutes=1), state__in=(State.MAKING, State.SENDING)).exists():
        return ConfigError("It is being sent already.", next_step="Look into your mail in a minute.")
    row = ReportDelivery.objects.create(
        asked_by=user, every=span.every.value, last=span.last, to=user.email, state=State.MAKING, attempts=ATTEMPTS,
        created_at=now, next_attempt_at=now, claimed_at=now,
    )  # fmt: skip
    return _deliver(row, {}, now)


def reports_retry(*, deliveries: Sequence[ReportDelivery], now: datetime) -> int:
    """Have held ones sent again. Result: how many. What somebody asked for is asked for again instead."""
    stuck = ReportDelivery.objects.filter(pk__in=[row.pk for row in deliveries], state__in=ReportDelivery.STUCK)
    return stuck.exclude(mail=None).update(state=State.PENDING, attempts=0, next_attempt_at=now)


def report_mail_save(*, mail: ReportMail, now: datetime) -> None:
    """Keep who gets which report. What is new, or switched on again, begins with the next period: what was over before nobody
    waited for."""
    known = ReportMail.objects.filter(pk=mail.pk).values_list("every", "is_active", "store_id").first()
    if known is None or known[0] != mail.every or known[2] != mail.store_id or (mail.is_active and not known[1]):
        mail.since = now
    mail.save()


def _open(now: datetime) -> int:
    """Put the newest period that is over into the outbox, for each report and address, once. Result: rows made."""
    opened = 0
    for mail in ReportMail.objects.filter(is_active=True).select_related("store"):
        scope = scope_of(mail.store)
        if not scope.stores or (mail.store and not mail.store.is_active):
            continue
        last, due = newest_due(Every(mail.every), mail.send_at, now, scope.zone)
        if due <= mail.since or mail.deliveries.filter(every=mail.every, last__gte=last).exists():
            continue
        rows = [
            ReportDelivery(
                mail=mail, store=mail.store, every=mail.every, last=last, to=to, created_at=now, next_attempt_at=now
            )
            for to in mail.addresses
        ]  # fmt: skip
        opened += len(ReportDelivery.objects.bulk_create(rows, ignore_conflicts=True))
    return opened


def _recover(now: datetime) -> None:
    """What a worker had begun and never ended."""
    lost = ReportDelivery.objects.filter(claimed_at__lt=now - LOST_AFTER)
    lost.filter(state=State.SENDING).update(state=State.UNKNOWN, error=KILLED)
    made = lost.filter(state=State.MAKING)
    made.filter(mail=None).update(state=State.HELD, error="Its worker was killed. Ask for it again.")
    made.filter(attempts__gte=ATTEMPTS).update(state=State.HELD, error=f"{STOPPED} Nor did it get further before.")
    made.update(state=State.PENDING, next_attempt_at=now, error=STOPPED)


def _claim(row: ReportDelivery, now: datetime) -> bool:
    mine = ReportDelivery.objects.filter(pk=row.pk, state=State.PENDING, attempts=row.attempts)
    if not mine.update(state=State.MAKING, claimed_at=now, attempts=F("attempts") + 1):
        return False
    row.state, row.claimed_at, row.attempts = State.MAKING, now, row.attempts + 1
    return True


def _deliver(row: ReportDelivery, made: _Made, now: datetime) -> ConnectorError | None:
    """Make the report, send it, and write down what became of it. Result: why it did not go out; None: it did, or somebody else
    has it."""

    def begin() -> None:
        begun = ReportDelivery.objects.filter(pk=row.pk, state=State.MAKING, claimed_at=row.claimed_at)
        if not begun.update(state=State.SENDING):
            raise _Taken

    try:
        key = (row.store_id, row.every, row.last)
        report = made[key] = made.get(key) or _made(row.store, row, now)
        mail_send(report_as_mail(report, to=row.to, key=row.message), before=begin)
    except _Taken:
        return None
    except ConnectorError as error:
        logger.warning("%s did not go out: %s", row, error)
        _record(row, error, now)
        return error
    ReportDelivery.objects.filter(pk=row.pk).update(state=State.SENT, sent_at=now, error="")
    return None


def _made(store: Connection | None, row: ReportDelivery, now: datetime) -> Report:
    scope = scope_of(store)
    return report_make(scope=scope, span=span_ending(Every(row.every), row.last, scope.zone), now=now)


def _record(row: ReportDelivery, error: ConnectorError, now: datetime) -> None:
    mine = ReportDelivery.objects.filter(pk=row.pk, state__in=(State.MAKING, State.SENDING))
    said = str(error)[:1000]
    if isinstance(error, UnknownOutcomeError):
        mine.update(state=State.UNKNOWN, error=f"{said} It may have arrived: ask, then press Send again.")
    elif row.attempts >= ATTEMPTS or isinstance(error, RejectedError):
        mine.update(state=State.HELD, error=said)
    else:
        mine.update(state=State.PENDING, next_attempt_at=now + PAUSES[row.attempts - 1], error=said)


def reports_watch(*, now: datetime) -> None:
    """Raise an alert for each report that does not go out, and let it go when it does."""
    found = [finding for unsent in reports_unsent() if (finding := report_not_sent(unsent)) is not None]
    alerts_settle(findings=found, codes=[Code.REPORT_NOT_SENT], now=now)
