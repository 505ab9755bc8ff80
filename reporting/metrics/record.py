"""Writing the day's figures down."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.models import Connection
from kit.zones import zone_is_known
from reporting.metrics.figures import Figures
from reporting.models import DailyMetric
from reporting.selectors import period_measure

# Of a day that is over, what happened can still be counted; what stood then can't.
STANDING = ("items", "items_aligned", "pairs", "pairs_known", "pairs_in_step")


def metrics_record(*, now: datetime) -> int:
    """Write down today's figures of each connection in use, as far as the day has come, and finish yesterday's. Run again, it
    replaces what it wrote. Result: rows written."""
    by_zone: dict[str, list[Connection]] = {}
    for connection in Connection.objects.filter(is_active=True):
        zone = connection.time_zone if zone_is_known(connection.time_zone) else "UTC"  # a machine may lose a zone it knew
        by_zone.setdefault(zone, []).append(connection)
    return sum(_zone_record(ZoneInfo(zone), connections, now) for zone, connections in by_zone.items())


def _zone_record(zone: ZoneInfo, connections: list[Connection], now: datetime) -> int:
    today = now.astimezone(zone).date()
    written = _day_record(zone, connections, today, now, fields=tuple(Figures.__dataclass_fields__))
    yesterday = today - timedelta(days=1)
    late = DailyMetric.objects.filter(day=yesterday, connection__in=connections, measured_at__lt=_midnight(zone, today))
    unfinished = [one for one in connections if one.pk in set(late.values_list("connection_id", flat=True))]
    happened = tuple(name for name in Figures.__dataclass_fields__ if name not in STANDING)
    return written + (_day_record(zone, unfinished, yesterday, now, fields=happened) if unfinished else 0)


def _day_record(zone: ZoneInfo, connections: Iterable[Connection], day: date, now: datetime, *, fields: tuple[str, ...]) -> int:
    since, until = _midnight(zone, day), min(_midnight(zone, day + timedelta(days=1)), now)
    period = period_measure(connections=connections, since=since, until=until, calls_since=since)
    for pk, figures in period.figures.items():
        values = {name: getattr(figures, name) for name in fields}
        DailyMetric.objects.update_or_create(connection_id=pk, day=day, defaults={**values, "measured_at": now})
    return len(period.figures)


def _midnight(zone: ZoneInfo, day: date) -> datetime:
    return datetime.combine(day, time.min, zone)
