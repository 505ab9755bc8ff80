"""A report as it is before anybody draws it: a period, and sections of sentences, tables and charts. Pure."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from reporting.core.charts import Chart

DAY = timedelta(days=1)


class Every(StrEnum):
    """How long a report's period is."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of one time zone, `first` and `last` included. `since` and `until` are its moments: from, and before. A day may
    have 23 or 25 hours."""

    every: Every
    first: date
    last: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time.min, self.zone)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last + DAY, time.min, self.zone)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=place) for place in range((self.last - self.first).days + 1)]


def span_ending(every: Every, last: date, zone: ZoneInfo) -> Span:
    """Result: the period that ends with that day: it alone, seven days, or a month: a calendar month where it is a month's last
    day, else from the day after the same day of the month before."""
    if every is Every.DAILY:
        return Span(every, last, last, zone)
    if every is Every.WEEKLY:
        return Span(every, last - 6 * DAY, last, zone)
    if (last + DAY).day == 1:
        return Span(every, last.replace(day=1), last, zone)
    before = last.replace(day=1) - DAY
    same = min(last.day, monthrange(before.year, before.month)[1])
    return Span(every, before.replace(day=same) + DAY, last, zone)


def last_over(every: Every, now: datetime, zone: ZoneInfo) -> date:
    """Result: the last day of the newest period that is over: yesterday, last Sunday, the end of last month."""
    today = now.astimezone(zone).date()
    if every is Every.DAILY:
        return today - DAY
    return today - (today.isoweekday() if every is Every.WEEKLY else today.day) * DAY


def newest_due(every: Every, at: time, now: datetime, zone: ZoneInfo) -> tuple[date, datetime]:
    """Result: the last day of the newest period whose report is due, and since when: at that hour of the day after it."""
    last = last_over(every, now, zone)
    if now < (due := datetime.combine(last + DAY, at, zone)):
        last = span_ending(every, last, zone).first - DAY
        due = datetime.combine(last + DAY, at, zone)
    return last, due


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are text as people read it. `numbers`: the columns that are set to the right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One question and its answer. Without rows a table isn't there: a sentence says so."""

    code: str  # unique in its report
    title: str
    sentences: tuple[str, ...] = ()
    table: Table | None = None
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says. `about`: the names of the shops it is about."""

    title: str
    span: Span
    about: tuple[str, ...]
    made_at: datetime
    sections: tuple[Section, ...]
    name: str = "sync_report"  # what its file's name begins with

    @property
    def file_name(self) -> str:
        """Result: its file name, without what follows the dot (kept name: issue)."""
        return f"{self.name}_{self.span.first:%Y-%m-%d}_{self.span.last:%Y-%m-%d}"

    @property
    def period(self) -> str:
        """Result: “Monday 2 March 2026”, or “2 March 2026 to 8 March 2026”, with the clock that was used."""
        first, last = (f"{day.day} {day:%B %Y}" for day in (self.span.first, self.span.last))
        said = f"{self.span.first:%A} {first}" if self.span.first == self.span.last else f"{first} to {last}"
        return f"{said} ({self.span.zone.key})"


def section_of(
    code: str,
    title: str,
    *,
    header: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    empty: str,
    numbers: tuple[int, ...] = (),
    sentences: tuple[str, ...] = (),
) -> Section:
    """Result: a section with a table; where there are no rows, `empty` says so instead."""
    if not rows:
        return Section(code, title, (*sentences, empty))
    return Section(code, title, sentences, Table(header, tuple(rows), numbers))
