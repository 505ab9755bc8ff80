"""What “Today” shows: the state of the shop in a sentence, then figures, then what needs a person, each with its link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from alerts.rules.words import Code, Severity
from backoffice.today.status import Facts, Faring, Overall, overall
from backoffice.today.todo import TOLD_APART, Todo, todo_of
from connectors.contract import Side
from connectors.models import Connection
from connectors.registry import LABELS
from kit.admin.parts import badge
from kit.words import counted
from reporting.core.charts import Chart, Point, Share, bar_svg, line_svg, shares_svg
from reporting.core.words import goal_said, seconds_exact, value_said
from reporting.metrics.figures import CONFLICTS, HEADLINES, Figures, Headline, figures_sum
from reporting.models import DailyMetric
from reporting.schedule import NextRun, run_next
from reporting.selectors import WELL, Period, Tallies, period_measure, runs_to_show
from sync.models import OutboundWrite, SyncConflict, SyncRun

DAY = timedelta(hours=24)
MONTH = 30
NEWEST = 1000  # changes that the live latency is taken from
LIVE = "last 24 hours"
State = OutboundWrite.State


@dataclass(frozen=True, slots=True)
class Row:
    """One day in the table that says what a chart shows."""

    day: str
    said: str


@dataclass(frozen=True, slots=True)
class Card:
    """One of the headline figures, with its month."""

    code: str
    title: str
    measures: str
    said: str
    verdict: SafeString
    chart: SafeString
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class System:
    """One connection, as it fares now."""

    name: str
    url: str
    kind: str
    mode: SafeString
    health: SafeString
    answers: str
    last_ok_at: datetime | None
    waiting: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Today:
    """All of the page."""

    at: datetime
    waiting: Mapping[str, int]  # for the menu
    overall: Overall
    verdict: SafeString
    cards: Sequence[Card]
    todo: Sequence[Todo]
    todo_total: int  # with what there was no room for
    systems: Sequence[System]
    drift: SafeString
    drift_rows: Sequence[Share]
    carried: Card
    last_run: SyncRun | None
    next_run: NextRun | None
    queue: int
    inbox: int
    oldest_unsent: datetime | None
    answers: str
    last_till_at: datetime | None
    last_store_at: datetime | None


def today_read(*, user: User | AnonymousUser, now: datetime) -> Today:
    """Result: the page for this reader. What the reader may not see is not among what needs somebody."""
    connections = list(Connection.objects.filter(is_active=True))
    period = period_measure(
        connections=connections, since=now - DAY, until=now, calls_since=now - timedelta(hours=1), newest=NEWEST
    )
    figures = figures_sum(period.figures.values())
    runs = runs_to_show()
    facts = _facts(connections, period.tallies, figures, runs, now)
    judged = overall(facts)
    todo = todo_of(user=user, runs=runs, tallies=period.tallies, connections=connections, now=now)
    drift = _drift(figures)
    month = _month(connections, timezone.localtime(now).date())
    ended = [run for run in runs if run.finished_at and run.state != SyncRun.State.HELD]
    return Today(
        at=now,
        waiting=period.tallies.waiting,
        overall=judged,
        verdict=badge(judged.level.word, judged.level.tone),
        cards=[_card(headline, figures, month) for headline in HEADLINES],
        todo=todo,
        todo_total=max(facts.conflicts_open + facts.alerts_open + facts.held_runs + facts.prices_waiting, len(todo)),
        systems=[_system(one, period) for one in connections],
        drift=_drawn(shares_svg("drift", "Products by how far off they were in the last 24 hours", drift)),
        drift_rows=drift,
        carried=_carried(figures, month),
        last_run=max(ended, key=lambda run: run.finished_at or run.started_at, default=None),
        next_run=run_next(now=now),
        queue=period.tallies.count("queue"),
        inbox=period.tallies.count("inbox"),
        oldest_unsent=period.tallies.oldest("queue", None, State.PENDING),
        answers=_answers_said(figures),
        last_till_at=_last_ok(connections, Side.POS),
        last_store_at=_last_ok(connections, Side.STORE),
    )


def _facts(connections: Sequence[Connection], found: Tallies, figures: Figures, runs: Sequence[SyncRun], now: datetime) -> Facts:
    well = [run.finished_at for run in runs if run.state in WELL and run.finished_at]
    oldest = found.oldest("queue", None, State.PENDING)
    mine = [rule for rule in Code if rule not in TOLD_APART]
    critical = found.count("alerts", Severity.CRITICAL, *mine)
    return Facts(
        figures=figures,
        connections=[Faring(one.name, one.failures_in_row) for one in connections],
        has_store=any(one.side == Side.STORE for one in connections),
        since_last_sync=now - max(well) if well else None,
        unsent_for=now - oldest if oldest else None,
        held_runs=found.count("held"),
        conflicts_open=found.count("open"),
        conflicts_critical=found.count("open", None, SyncConflict.Class.CRITICAL),
        alerts_open=critical + found.count("alerts", Severity.HIGH, *mine) + found.count("alerts", Severity.MEDIUM, *mine),
        alerts_critical=critical,
        prices_waiting=found.count("prices"),
    )


def _month(connections: Sequence[Connection], today: date) -> list[tuple[date, Figures | None]]:
    """Result: the days before today, oldest first; None where nothing was written down."""
    first = today - timedelta(days=MONTH - 1)
    by_day: dict[date, list[Figures]] = {}
    for row in DailyMetric.objects.filter(day__gte=first, day__lt=today, connection__in=connections).order_by():
        by_day.setdefault(row.day, []).append(row.figures)
    days = [first + timedelta(days=place) for place in range(MONTH - 1)]
    return [(day, figures_sum(by_day[day]) if day in by_day else None) for day in days]


def _points(month: Sequence[tuple[date, Figures | None]], live: Figures, headline: Headline) -> list[Point]:
    values = [(f"{day:%-d %b}", parts.value(headline) if parts else None) for day, parts in month]
    return [Point(label, value, value_said(headline, value)) for label, value in [*values, (LIVE, live.value(headline))]]


def _card(headline: Headline, figures: Figures, month: Sequence[tuple[date, Figures | None]]) -> Card:
    value = figures.value(headline)
    points = _points(month, figures, headline)
    chart = Chart(
        code=f"chart-{headline.code}",
        title=f"{headline.title}, {MONTH} days",
        description=_described(points, goal_said(headline)),
        points=points,
        goal=headline.goal,
        ceiling=Decimal(100) if headline.unit == "%" else None,
        floor=Decimal(0) if headline.unit != "%" else None,
    )
    draw = bar_svg if headline is CONFLICTS else line_svg
    met = headline.meets(value)
    tone = "mute" if met is None else "ok" if met else "warn"
    words = f"not known yet, {goal_said(headline)}" if met is None else goal_said(headline)
    return Card(
        headline.code,
        headline.title,
        headline.measures,
        value_said(headline, value),
        badge(words, tone),
        _drawn(draw(chart)),
        [Row(point.label, point.said) for point in reversed(points)],
    )


def _carried(figures: Figures, month: Sequence[tuple[date, Figures | None]]) -> Card:
    """Result: how many numbers were told to the other side, a bar a day."""
    days = [(f"{day:%-d %b}", parts.writes_applied if parts else None) for day, parts in [*month, (None, figures)] if day]
    days.append((LIVE, figures.writes_applied))
    points = [Point(label, None if n is None else Decimal(n), "–" if n is None else f"{n:,}") for label, n in days]
    chart = Chart("chart-carried", f"Changes carried, {MONTH} days", _described(points, ""), points)
    refused = badge(f"{figures.writes_refused:,} refused", "warn") if figures.writes_refused else badge("none refused", "ok")
    rows = [Row(point.label, point.said) for point in reversed(points)]
    measures = "numbers told to the other side and taken there"
    return Card("carried", "Changes carried", measures, f"{figures.writes_applied:,}", refused, _drawn(bar_svg(chart)), rows)


def _described(points: Sequence[Point], goal: str) -> str:
    """Result: what a chart shows, for who can't see it: from, to, and where it stands."""
    known = [point for point in points if point.value is not None]
    if not known:
        return "Nothing has been measured yet."
    low = min(known, key=lambda point: point.value or 0)
    high = max(known, key=lambda point: point.value or 0)
    aim = f", {goal}" if goal else ""
    spread = f"lowest {low.said} ({low.label}), highest {high.said} ({high.label})"
    return f"{counted(len(known), 'day', 'days')} measured{aim}: {spread}, at last {known[-1].said}."


def _drift(figures: Figures) -> list[Share]:
    return [
        Share("Perfect", figures.pairs_in_step, "ok"),
        Share("Minor", figures.drift_minor, "info"),
        Share("Major", figures.drift_major, "warn"),
        Share("Critical", figures.drift_critical, "bad"),
        Share("Missing data", figures.pairs_unknown, "mute"),
    ]


def _system(one: Connection, period: Period) -> System:
    return System(
        name=one.name,
        url=reverse("admin:connectors_connection_change", args=[one.pk]),
        kind=LABELS.get(one.kind, one.kind),
        mode=badge("Live", "ok") if one.is_live else badge("Observe", "info"),
        health=_health(one),
        answers=_answers_said(period.figures[one.pk]),
        last_ok_at=one.last_ok_at,
        waiting=period.tallies.count("queue", one.pk, State.PENDING) + period.tallies.count("inbox", one.pk),
        unknown=period.tallies.count("queue", one.pk, State.UNKNOWN, State.SENDING),
    )


def _health(one: Connection) -> SafeString:
    if one.failures_in_row:
        return badge("Failed once" if one.failures_in_row == 1 else f"Failed {one.failures_in_row} times", "bad")
    return badge("Healthy", "ok") if one.last_ok_at else badge("Not asked yet", "mute")


def _answers_said(figures: Figures) -> str:
    """Result: how fast requests were answered in the last hour: the middle one, and the slowest of twenty."""
    if figures.call_median is None or figures.call_p95 is None:
        return "–"
    return f"{seconds_exact(figures.call_median)}, p95 {seconds_exact(figures.call_p95)}"


def _last_ok(connections: Sequence[Connection], side: Side) -> datetime | None:
    return max((one.last_ok_at for one in connections if one.side == side and one.last_ok_at), default=None)


def _drawn(svg: str) -> SafeString:
    return mark_safe(svg)  # noqa: S308 - drawn by reporting.core.charts, which escapes what it is given
