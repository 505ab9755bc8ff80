"""The rules there are: how serious each is, when it is looked at, and whether it goes to the lead when it lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Final

AN_HOUR: Final = timedelta(hours=1)


class Severity(IntEnum):
    """How soon a person should look. Numbers leave room in between, since rows keep them."""

    LOW = 10  # within a week
    MEDIUM = 20  # today
    HIGH = 30  # when you can
    CRITICAL = 40  # at once, also at night


class Code(StrEnum):
    """A rule's name in rows, settings of channels and messages to other programs. Kept for ever."""

    NEGATIVE_STOCK = "negative_stock"
    CRITICAL_DRIFT = "critical_drift"
    MISSING_DATA = "missing_data"
    DISCREPANCY = "discrepancy"
    PRICE_GAP = "price_gap"
    OUT_OF_STOCK = "out_of_stock"
    LOW_STOCK = "low_stock"
    MISSING_ALIGNMENT = "missing_alignment"
    WRITE_REFUSED = "write_refused"
    WRITES_UNANSWERED = "writes_unanswered"
    SYNC_FAILED = "sync_failed"
    SYNC_FAILED_AGAIN = "sync_failed_again"
    HELD_RUN = "held_run"
    API_UNAVAILABLE = "api_unavailable"
    ADDRESS_TROUBLE = "address_trouble"
    QUEUE_BACKING_UP = "queue_backing_up"
    WEBHOOK_TROUBLE = "webhook_trouble"
    EVENT_FAILED = "event_failed"
    TILL_FILE_LATE = "till_file_late"
    TASK_SET_ASIDE = "task_set_aside"
    SCHEDULE_STOPPED = "schedule_stopped"
    REPORT_NOT_SENT = "report_not_sent"


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a rule apart from its figures. `escalates_after`: a cause that lasts longer goes to the lead, as critical.
    `each_minute`: looked at each minute; the others every five."""

    title: str
    severity: Severity
    each_minute: bool = True
    escalates_after: timedelta | None = None


RULES: Final[Mapping[Code, About]] = {
    Code.NEGATIVE_STOCK: About("Below zero", Severity.HIGH),
    Code.CRITICAL_DRIFT: About("Far off in the shop", Severity.CRITICAL),
    Code.MISSING_DATA: About("One side's number is missing", Severity.HIGH, each_minute=False),
    Code.DISCREPANCY: About("Till and shop differ", Severity.MEDIUM, each_minute=False),
    Code.PRICE_GAP: About("Prices differ", Severity.MEDIUM, each_minute=False),
    Code.OUT_OF_STOCK: About("Out of stock", Severity.MEDIUM, each_minute=False),
    Code.LOW_STOCK: About("Low stock", Severity.LOW, each_minute=False),
    Code.MISSING_ALIGNMENT: About("Not aligned", Severity.LOW, each_minute=False),
    Code.WRITE_REFUSED: About("Refused by the shop", Severity.MEDIUM, each_minute=False),
    Code.WRITES_UNANSWERED: About("Writes without an answer", Severity.MEDIUM, each_minute=False),
    Code.SYNC_FAILED: About("Sync failed", Severity.HIGH, escalates_after=AN_HOUR),
    Code.SYNC_FAILED_AGAIN: About("Sync fails again and again", Severity.CRITICAL),
    Code.HELD_RUN: About("Held for a manager", Severity.HIGH),
    Code.API_UNAVAILABLE: About("Does not answer", Severity.HIGH, escalates_after=AN_HOUR),
    Code.ADDRESS_TROUBLE: About("Name or certificate", Severity.HIGH, escalates_after=AN_HOUR),
    Code.QUEUE_BACKING_UP: About("Work piles up", Severity.HIGH, escalates_after=AN_HOUR),
    Code.WEBHOOK_TROUBLE: About("Webhooks", Severity.MEDIUM),
    Code.EVENT_FAILED: About("Webhook not processed", Severity.HIGH),
    Code.TILL_FILE_LATE: About("No file from the till", Severity.HIGH),
    Code.TASK_SET_ASIDE: About("Job set aside", Severity.HIGH),
    Code.SCHEDULE_STOPPED: About("The schedule has stopped", Severity.CRITICAL),
    Code.REPORT_NOT_SENT: About("Report not sent", Severity.HIGH),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know, while it lasts. `subject` tells it from others of its rule; `since`: when its cause
    began, as far as is known. Figures are for other programs."""

    code: Code
    subject: str
    title: str
    words: str
    next_step: str = ""
    severity: Severity | None = None  # None: the rule's own
    since: datetime | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    connection_id: int | None = None
    item_id: int | None = None
    listing_id: int | None = None
    run_id: int | None = None

    @property
    def grade(self) -> Severity:
        return RULES[self.code].severity if self.severity is None else self.severity


def escalates(code: Code, since: datetime, now: datetime) -> bool:
    """Result: a cause that began then has lasted longer than its rule lets pass, so that the lead must hear of it."""
    after = RULES[code].escalates_after
    return after is not None and now - since > after
