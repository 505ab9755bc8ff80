"""What a report is made of, out of the rows: eight statements, however many shops, products and days there are."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Coalesce

from alerts.models import Alert
from alerts.selectors.limits import LimitTable
from alignment.models import Alignment
from alignment.selectors import items_without_partner, listings_without_partner
from inventory.models import Item, Movement
from reporting.core.report import Span
from reporting.metrics.counting import Rows, counted_by
from reporting.metrics.figures import Figures, figures_sum
from reporting.models import DailyMetric
from reporting.reports.found import SHOWN, Found, Number, Numbers, Often, Scope, Shelf
from sync.models import OutboundWrite, RunProblem, SyncConflict, SyncLog, SyncRun, SyncState

MONTH = 30  # days in charts
OFTEN = 2  # conflicts of one product within the period
ZERO = Decimal(0)
RULES_WIN = (SyncConflict.Resolution.POS, SyncConflict.Resolution.WOO)


def report_find(*, scope: Scope, span: Span, now: datetime, most: int = SHOWN) -> Found:
    """Result: what happened in the period, as far as it has come, and what stands now."""
    limits = LimitTable()
    return Found(
        at=now,
        numbers=_numbers(scope, span.since, min(span.until, now)),
        shelves=_shelves(scope, limits),
        has_low_limit=bool(limits.said("low_stock_below")),
        days=_days(scope, span),
        often=_often(_found(scope, span)),
        conflicts=_listed(_found(scope, span).filter(conflict_type=SyncConflict.Type.QUANTITY), most),
        apart=_apart(scope, most),
        unaligned=_listed(_open(scope).filter(conflict_type=SyncConflict.Type.MISSING_ALIGNMENT), most),
        most=most,
    )


def _tally(rows: Rows, what: str, a: object = None, b: object = None, count: object = None, sample: object = None) -> Rows:
    """Result: rows as numbers, in the one shape that a union needs."""
    keys = {"n_what": Value(what, CharField()), "n_a": _text(a), "n_b": _text(b)}
    return counted_by(rows, keys=keys, figures={"n_count": count or Count("*"), "n_sample": _text(sample)})


def _text(said: Any) -> Any:
    return Value("", CharField()) if said is None else Coalesce(Cast(said, CharField()), Value(""), output_field=CharField())


def _numbers(scope: Scope, since: datetime, until: datetime) -> Numbers:
    parts = [*_worked(scope, since, until), *_disputed(scope, since, until), *_standing(scope)]
    return Numbers(tuple(Number(*row) for row in parts[0].union(*parts[1:], all=True)))


def _worked(scope: Scope, since: datetime, until: datetime) -> list[Rows]:
    """Result: what the engine did: runs, values, writes, movements, and what went wrong."""
    runs = SyncRun.objects.filter(store__in=scope.stores, finished_at__gte=since, finished_at__lt=until, dry_run=False)
    log = SyncLog.objects.filter(alignment__listing__connection__in=scope.stores, at__gte=since, at__lt=until)
    log = log.exclude(action=SyncLog.Action.RESOLVED)
    writes = OutboundWrite.objects.filter(scope.systems, answered_at__gte=since, answered_at__lt=until)
    side = Case(When(listing=None, then=Value("till")), default=Value("shop"), output_field=CharField())
    moved = Movement.objects.filter(
        Q(source__in=scope.stores) | Q(source__in=scope.tills), recorded_at__gte=since, recorded_at__lt=until
    )
    return [
        _tally(runs, "runs", F("kind"), F("state"), sample=Max("message")),
        _tally(RunProblem.objects.filter(run__in=runs.order_by().values("pk")), "problems", F("code"), sample=Max("message")),
        _tally(log, "values", F("source"), F("action")),
        _tally(log, "products", count=Count("alignment_id", distinct=True)),
        _tally(writes, "writes", side, F("state"), sample=Max("error")),
        _tally(moved, "movements", F("kind"), sample=Sum("quantity")),
    ]


def _disputed(scope: Scope, since: datetime, until: datetime) -> list[Rows]:
    """Result: conflicts and alerts of the period, and who ended them."""
    found = SyncConflict.objects.filter(store__in=scope.stores, detected_at__gte=since, detected_at__lt=until)
    settled = SyncConflict.objects.filter(store__in=scope.stores, resolved_at__gte=since, resolved_at__lt=until)
    drift = found.filter(conflict_type=SyncConflict.Type.QUANTITY)
    how = Case(
        When(resolved_at=None, then=Value("open")),
        When(resolved_by__isnull=False, then=Value("person")),
        When(resolution__in=RULES_WIN, then=Value("rule")),
        default=Value("gone"),
        output_field=CharField(),
    )
    told = OutboundWrite.objects.filter(
        listing=OuterRef("alignment__listing"), state=OutboundWrite.State.APPLIED, answered_at__gte=OuterRef("resolved_at")
    )
    landed = Q(resolution=SyncConflict.Resolution.WOO) | Q(alignment__sync_state__sync_status="synced") | Exists(told)
    by_rule = drift.filter(resolved_by=None, resolution__in=RULES_WIN)
    alerts = Alert.objects.filter(scope.systems | Q(connection=None))
    ended = alerts.filter(resolved_at__gte=since, resolved_at__lt=until, resolved_by__isnull=False)
    return [
        _tally(found, "conflicts", F("conflict_type"), F("drift_class")),
        _tally(settled, "settled", F("resolution"), F("resolved_by__username")),
        _tally(drift, "drift", how),
        _tally(by_rule.filter(landed), "landed"),
        _tally(alerts.filter(opened_at__gte=since, opened_at__lt=until), "alerts", F("rule"), F("state")),
        _tally(ended, "alerts ended", F("resolved_by__username")),
    ]


def _standing(scope: Scope) -> list[Rows]:
    """Result: how the pairs stand now, what is open, and what has no partner."""
    unread = Q(pos_quantity=None) | Q(woo_quantity=None)
    status = Case(When(unread, then=Value("unknown")), default=F("sync_status"), output_field=CharField())
    only = scope.stores[0] if len(scope.stores) == 1 else None
    held = SyncRun.objects.filter(store__in=scope.stores, state=SyncRun.State.HELD)
    alerts = Alert.objects.filter(scope.systems | Q(connection=None), state=Alert.State.OPEN)
    return [
        _tally(SyncState.objects.filter(woo__in=scope.stores), "pairs", status),
        _tally(_open(scope), "open"),
        _tally(held, "held"),
        _tally(alerts, "alerts open"),
        _tally(items_without_partner(store=only).filter(connection__in=scope.tills), "items alone"),
        _tally(listings_without_partner(store=only).filter(connection__in=scope.stores), "listings alone"),
        _tally(
            Alignment.objects.filter(status=Alignment.Status.PROPOSED, listing__connection__in=scope.stores), "proposals"
        ),
    ]  # fmt: skip


def _open(scope: Scope) -> QuerySet[SyncConflict]:
    return SyncConflict.objects.filter(store__in=scope.stores, resolved_at=None)


def _found(scope: Scope, span: Span) -> QuerySet[SyncConflict]:
    return SyncConflict.objects.filter(store__in=scope.stores, detected_at__gte=span.since, detected_at__lt=span.until)


def _listed(rows: QuerySet[SyncConflict], most: int) -> list[SyncConflict]:
    """Result: the newest, one more than are shown: so that the report can say there are more."""
    named = rows.select_related("alignment__item", "alignment__listing", "listing", "resolved_by")
    return list(named.order_by("-detected_at", "-pk")[: most + 1])


def _apart(scope: Scope, most: int) -> list[SyncState]:
    """Result: pairs whose two numbers don't agree with the ledger, or of which one isn't known; one more than are shown."""
    step = Q(sync_status=SyncState.Status.SYNCED, pos_quantity__isnull=False, woo_quantity__isnull=False)
    rows = SyncState.objects.filter(woo__in=scope.stores).exclude(step).select_related("alignment__item")
    return list(rows.order_by("pos_sku", "pk")[: most + 1])


def _often(rows: QuerySet[SyncConflict]) -> list[Often]:
    by = (
        "store_id", "alignment_id", "listing_id", "subject", "alignment__item__name", "alignment__item__sku", "listing__name",
        "listing__sku",
    )  # fmt: skip
    counted = rows.order_by().values(*by).annotate(count=Count("*"), still_open=Count("pk", filter=Q(resolved_at=None)))
    return [
        Often(
            row["alignment__item__name"] or row["listing__name"] or row["subject"],
            row["alignment__item__sku"] or row["listing__sku"] or "",
            row["count"],
            row["still_open"],
        )
        for row in counted.filter(count__gte=OFTEN).order_by("-count", "alignment_id", "listing_id", "subject")[:SHOWN]
    ]


def _shelves(scope: Scope, limits: LimitTable) -> dict[str, Shelf]:
    """Result: by category, what the tills list now, by what is free to sell over all places. What nobody counts is unknown."""
    free = Sum(F("levels__on_hand") - F("levels__reserved"), filter=Q(levels__baseline__isnull=False))
    rows = Item.objects.filter(connection__in=scope.tills, missing_since=None).order_by().annotate(free=free)
    shelves: dict[str, Shelf] = defaultdict(Shelf)
    highest = max(limits.said("low_stock_below"), default=ZERO)  # what is over it is low by no limit
    for pk, category, till, available in rows.values_list("pk", "category", "connection_id", "free").iterator(2000):
        shelf = shelves[category]
        if available is None:
            shelf.unknown += 1
        elif available <= 0:
            shelf.out += 1
        elif available < highest and _is_low(limits, pk, category, till, available):
            shelf.low += 1
        else:
            shelf.in_stock += 1
    return dict(sorted(shelves.items()))


def _is_low(limits: LimitTable, item_id: int, category: str, till: int, available: Decimal) -> bool:
    below = limits.of(item_id=item_id, category=category, connection_ids=[till]).low_stock_below
    return below is not None and available < below


def _days(scope: Scope, span: Span) -> dict[date, Figures]:
    """Result: the measured days of the period, and of the month before its end, for charts."""
    first = min(span.first, span.last - timedelta(days=MONTH - 1))
    rows = DailyMetric.objects.filter(scope.systems, day__gte=first, day__lte=span.last)
    by_day: dict[date, list[Figures]] = {}
    for row in rows.order_by("day"):
        by_day.setdefault(row.day, []).append(row.figures)
    return {day: figures_sum(parts) for day, parts in by_day.items()}
