"""Figures out of the rows: each question is one statement for all connections, whatever the size of the shop."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import Case, CharField, Count, DateTimeField, Exists, F, IntegerField, Max, Min, OuterRef, Q, Value, When
from django.db.models.functions import Cast

from alerts.models import Alert, Channel
from alerts.rules.systems import Unsent
from alignment.models import Alignment, StoreLocation
from connectors.models import ApiCall, Connection
from inventory.models import Item, Movement
from reporting.metrics.counting import Rows, counted_by
from reporting.metrics.figures import LOOK_BACK, Answer, Event, Figures, latencies, median, p95
from reporting.models import ReportDelivery
from sync.models import InboundEvent, OutboundWrite, PriceReview, SyncConflict, SyncRun, SyncState

WELL = (SyncRun.State.DONE, SyncRun.State.PARTIAL)


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of one kind that were counted together: what, of which connection, which sort of it, how many, since when."""

    what: str
    connection: int
    sort: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Tallies:
    """All counts of one moment and of one period, with ways to ask for them."""

    rows: list[Tally] = field(default_factory=list)

    @property
    def waiting(self) -> dict[str, int]:
        """What `nav_counts` counts, for a page that has counted it already."""
        names = {"conflicts": "open", "alerts": "alerts", "proposals": "proposals", "held": "held", "prices": "prices"}
        return {shown: self.count(what) for shown, what in names.items()}

    def count(self, what: str, connection: int | None = None, *sorts: str) -> int:
        return sum(row.count for row in self._of(what, connection, sorts))

    def oldest(self, what: str, connection: int | None = None, *sorts: str) -> datetime | None:
        return min((row.oldest for row in self._of(what, connection, sorts) if row.oldest), default=None)

    def sorts(self, what: str, connection: int) -> list[str]:
        return [row.sort for row in self._of(what, connection, ())]

    def _of(self, what: str, connection: int | None, sorts: tuple[str, ...]) -> list[Tally]:
        return [
            row
            for row in self.rows
            if row.what == what and connection in (None, row.connection) and (not sorts or row.sort in sorts)
        ]


def tallies(*, since: datetime, until: datetime) -> Tallies:
    """Result: what stands now, and what happened in the period, in one statement."""
    parts = [*_standing(), *_happened(since, until)]
    rows = parts[0].union(*parts[1:], all=True)
    return Tallies([Tally(*row) for row in rows])


def _counted(
    rows: Rows, what: str, connection: str | None = None, sort: object = None, count: object = None, oldest: object = None
) -> Rows:
    """Result: rows as tallies, in the one shape that a union needs."""
    keys = {
        "t_what": Value(what, CharField()),
        "t_of": Cast(connection or Value(0), IntegerField()),
        "t_sort": sort or Value("", CharField()),
    }
    figures = {"t_count": count or Count("*"), "t_oldest": oldest or Cast(Value(None), DateTimeField())}
    return counted_by(rows, keys=keys, figures=figures)


def _standing() -> list[Rows]:
    """Result: what there is now: pairs by status, items and their partners, what is open, and what waits to be told."""
    unread = Q(pos_quantity=None) | Q(woo_quantity=None)
    status = Case(When(unread, then=Value("unknown")), default=F("sync_status"), output_field=CharField())
    gone = Item.objects.exclude(missing_since=None)  # few, and found by index: cheaper than asking each of the others
    confirmed = Alignment.objects.filter(status=Alignment.Status.CONFIRMED).exclude(item__in=gone.values("pk"))
    waiting = OutboundWrite.objects.filter(state__in=OutboundWrite.OPEN)
    return [
        _counted(SyncState.objects.all(), "pairs", "woo_id", status),
        _counted(Item.objects.all(), "items", "connection_id"),
        _counted(gone, "items gone", "connection_id"),
        _counted(Alignment.objects.filter(status=Alignment.Status.PROPOSED), "proposals"),
        _counted(confirmed, "aligned", "listing__connection_id", count=Count("item_id", distinct=True)),
        _counted(StoreLocation.objects.all(), "supply", "store_id", Cast("location__connection_id", CharField())),
        _counted(SyncConflict.objects.filter(resolved_at=None), "open", "store_id", F("drift_class")),
        _counted(SyncRun.objects.filter(state=SyncRun.State.HELD), "held", "store_id"),
        _counted(PriceReview.objects.filter(state=PriceReview.State.OPEN), "prices", "store_id"),
        _counted(Alert.objects.filter(state=Alert.State.OPEN), "alerts", "severity", F("rule")),
        _counted(Channel.objects.filter(is_active=True), "channels"),
        _counted(InboundEvent.objects.filter(state=InboundEvent.State.NEW), "inbox", "connection_id"),
        _counted(waiting, "queue", "connection_id", F("state"), oldest=Min("created_at")),
    ]


def _happened(since: datetime, until: datetime) -> list[Rows]:
    """Result: what was found, ended and answered from `since` until before `until`."""
    drift = SyncConflict.objects.filter(detected_at__gte=since, detected_at__lt=until)
    kind = Case(
        When(conflict_type=SyncConflict.Type.QUANTITY, then=F("drift_class")), default=Value("other"), output_field=CharField()
    )
    ended = SyncRun.objects.filter(finished_at__gte=since, finished_at__lt=until, dry_run=False)
    answered = OutboundWrite.objects.filter(answered_at__gte=since, answered_at__lt=until)
    return [
        _counted(drift, "conflicts", "store_id", kind),
        _counted(ended, "runs", "store_id", F("state")),
        _counted(answered, "writes", "connection_id", F("state")),
    ]


@dataclass(frozen=True, slots=True)
class Period:
    """What was counted and timed of each connection, from `since` until before `until`."""

    tallies: Tallies
    figures: dict[int, Figures]


def period_measure(
    *,
    connections: Iterable[Connection],
    since: datetime,
    until: datetime,
    calls_since: datetime,
    newest: int | None = None,
) -> Period:
    """Result: the figures of each connection: what stands now, what happened in the period, and how fast its requests were
    answered since `calls_since`. `newest`: latency is taken from so many of the latest changes, since a page can't wait for all
    of a busy day's. Four statements."""
    counted = tallies(since=since, until=until)
    told = _latencies(since, until, newest)
    calls = _calls(calls_since, until)
    return Period(
        counted,
        {one.pk: _figures(one.pk, counted, told.get(one.pk, []), calls.get(one.pk, [])) for one in connections},
    )


def _figures(pk: int, counted: Tallies, told: list[Decimal], calls: list[tuple[int, int]]) -> Figures:
    pairs, unknown = counted.count("pairs", pk), counted.count("pairs", pk, "unknown")
    times = [Decimal(latency) for latency, status in calls if status]
    tills = counted.sorts("supply", pk)
    return Figures(
        items=sum(counted.count("items", int(till)) - counted.count("items gone", int(till)) for till in set(tills)),
        items_aligned=counted.count("aligned", pk) if tills else 0,
        pairs=pairs,
        pairs_known=pairs - unknown,
        pairs_in_step=counted.count("pairs", pk, SyncState.Status.SYNCED),
        drift_minor=counted.count("conflicts", pk, SyncConflict.Class.MINOR),
        drift_major=counted.count("conflicts", pk, SyncConflict.Class.MAJOR),
        drift_critical=counted.count("conflicts", pk, SyncConflict.Class.CRITICAL),
        conflicts=counted.count("conflicts", pk),
        runs_ended=counted.count("runs", pk, *WELL),
        runs_failed=counted.count("runs", pk, SyncRun.State.FAILED),
        writes_applied=counted.count("writes", pk, OutboundWrite.State.APPLIED),
        writes_refused=counted.count("writes", pk, OutboundWrite.State.REJECTED),
        latency_median=median(told),
        latency_p95=p95(told),
        calls=len(calls),
        calls_failed=sum(not 200 <= status < 400 for _, status in calls),
        call_median=median(times),
        call_p95=p95(times),
    )


def _latencies(since: datetime, until: datetime, newest: int | None) -> dict[int, list[Decimal]]:
    """Result: by connection, the seconds each event of the period waited. Answers before the period, or before the newest ones,
    only tell what was known already."""
    answers = _answers(since - LOOK_BACK, until, 2 * newest if newest else None)
    if not answers:
        return {}
    if newest and len(answers) > newest:
        since = max(since, answers[newest - 1].answered_at)
    known_from = min(answer.claimed_at for answer in answers) if newest and len(answers) == 2 * newest else since - LOOK_BACK
    return latencies(_events(known_from, until), answers, since=since)


def _events(since: datetime, until: datetime) -> list[Event]:
    """Result: the movements of the period that another side had to be told; openings aren't news."""
    moved = Movement.objects.filter(recorded_at__gte=since, recorded_at__lt=until).exclude(kind=Movement.Kind.OPENING)
    rows = moved.order_by().values_list("item_id", "source_id", "occurred_at", "recorded_at")
    return [Event(*row) for row in rows]


def _answers(since: datetime, until: datetime, newest: int | None) -> list[Answer]:
    """Result: the writes that took effect in the period, the newest first; at most so many."""
    partner = Q(listing=None) | Q(listing__alignments__status=Alignment.Status.CONFIRMED)
    applied = OutboundWrite.objects.filter(state=OutboundWrite.State.APPLIED, answered_at__gte=since, answered_at__lt=until)
    rows = applied.exclude(sent_at=None).filter(partner).order_by("-answered_at")[:newest]
    names = ("level__item_id", "listing__alignments__item_id", "connection_id", "sent_at", "answered_at")
    return [
        Answer(of_level or of_listing, connection, sent_at, answered_at)
        for of_level, of_listing, connection, sent_at, answered_at in rows.values_list(*names)
    ]


def _calls(since: datetime, until: datetime) -> dict[int, list[tuple[int, int]]]:
    """Result: by connection, how long each request took (ms) and its status; 0 where no reply came."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = ApiCall.objects.filter(at__gte=since, at__lt=until).order_by()
    for connection, latency, status in rows.values_list("connection_id", "latency_ms", "status"):
        found[connection].append((latency, status))
    return found


def runs_to_show() -> list[SyncRun]:
    """Result: the held runs, and of each store the newest that ended, and the newest that ended well; dry runs aside."""
    real = SyncRun.objects.filter(dry_run=False).order_by()
    well = real.filter(state__in=WELL).values("store").annotate(newest=Max("id")).values("newest")
    ended = real.filter(state__in=(*WELL, SyncRun.State.FAILED)).values("store").annotate(newest=Max("id")).values("newest")
    shown = Q(state=SyncRun.State.HELD) | Q(pk__in=well) | Q(pk__in=ended)
    return list(real.filter(shown).select_related("store").order_by("-id")[:50])


def nav_counts() -> dict[str, int]:
    """Result: what waits, for the navigation of every page: one statement."""
    conflicts = SyncConflict.objects.filter(resolved_at=None)
    alerts = Alert.objects.filter(state=Alert.State.OPEN)
    proposals = Alignment.objects.filter(status=Alignment.Status.PROPOSED)
    held = SyncRun.objects.filter(state=SyncRun.State.HELD)
    prices = PriceReview.objects.filter(state=PriceReview.State.OPEN)
    waiting: dict[str, Rows] = {"conflicts": conflicts, "alerts": alerts, "proposals": proposals, "held": held, "prices": prices}
    parts = [
        counted_by(rows, keys={"n_what": Value(what, CharField())}, figures={"n_count": Count("*")})
        for what, rows in waiting.items()
    ]
    return dict(parts[0].union(*parts[1:], all=True))


def reports_unsent() -> list[Unsent]:
    """Result: reports in use whose mails did not go out at the last attempt, each with all its addresses. What a later mail to
    the same address has made good is over."""
    state = ReportDelivery.State
    later = ReportDelivery.objects.filter(mail=OuterRef("mail"), to=OuterRef("to"), state=state.SENT, last__gt=OuterRef("last"))
    rows = ReportDelivery.objects.filter(mail__is_active=True).exclude(error="").exclude(Exists(later))
    found: dict[int, list[ReportDelivery]] = defaultdict(list)
    for row in rows.filter(state__in=(state.PENDING, state.MAKING, *ReportDelivery.STUCK)).select_related("mail__store"):
        found[row.mail_id or 0].append(row)
    return [
        Unsent(
            key=key,
            report=str(unsent[0].mail),
            count=len({row.to for row in unsent}),
            since=min(row.created_at for row in unsent),
            error=unsent[0].error,
            attempts=max(row.attempts for row in unsent),
            is_stuck=any(row.state in ReportDelivery.STUCK for row in unsent),
        )
        for key, unsent in found.items()
    ]
