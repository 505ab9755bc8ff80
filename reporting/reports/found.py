"""What a report is made of before it is said, and which shops it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from alignment.models import StoreLocation
from connectors.contract import Side
from connectors.models import Connection
from kit.zones import zone_is_known
from reporting.metrics.counting import Rows
from reporting.metrics.figures import Figures
from sync.models import SyncConflict, SyncState

SHOWN = 50  # rows of a table of products


@dataclass(frozen=True, slots=True)
class Number:
    """Rows of one kind that were counted together, by up to two things; `sample`: one of their messages, or their sum."""

    what: str
    a: str
    b: str
    count: int
    sample: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that was counted."""

    rows: tuple[Number, ...]

    def of(self, what: str) -> list[Number]:
        """Result: the most frequent first."""
        return sorted((row for row in self.rows if row.what == what), key=lambda row: (-row.count, row.a, row.b))

    def count(self, what: str, *, a: Sequence[str] | None = None, b: Sequence[str] | None = None) -> int:
        return sum(row.count for row in self.of(what) if (a is None or row.a in a) and (b is None or row.b in b))


@dataclass(slots=True)
class Shelf:
    """Products of one category by what is free to sell. `unknown`: the till doesn't count them, or never said a number."""

    in_stock: int = 0
    low: int = 0
    out: int = 0
    unknown: int = 0

    @property
    def all(self) -> int:
        return self.in_stock + self.low + self.out + self.unknown


@dataclass(frozen=True, slots=True)
class Often:
    """A product with several conflicts in the period."""

    name: str
    sku: str
    conflicts: int
    still_open: int


@dataclass(frozen=True, slots=True)
class Found:
    """All that a report says, before it is said. What stands (shelves, differences, what is open) stands at `at`."""

    at: datetime
    numbers: Numbers
    shelves: dict[str, Shelf]
    has_low_limit: bool
    days: dict[date, Figures]
    often: list[Often]
    conflicts: list[SyncConflict]
    apart: list[SyncState]
    unaligned: list[SyncConflict]
    most: int = SHOWN  # rows of a table; one more is found, so that the report can say there are more


@dataclass(frozen=True, slots=True)
class Scope:
    """The shops a report is about, and their tills as a query."""

    stores: list[Connection]
    zone: ZoneInfo

    @property
    def tills(self) -> Rows:
        return StoreLocation.objects.filter(store__in=self.stores).order_by().values("location__connection_id")

    @property
    def systems(self) -> Q:
        """Rows with a `connection` of ours, on either side."""
        return Q(connection__in=self.stores) | Q(connection__in=self.tills)


def scope_of(store: Connection | None = None) -> Scope:
    """Result: that shop, or all in use. Its clock is the shop's; of several shops the one they share, else the project's."""
    used = [store] if store else [one for one in Connection.objects.filter(is_active=True) if one.side == Side.STORE]
    zones = {one.time_zone for one in used if zone_is_known(one.time_zone)}
    return Scope(used, ZoneInfo(zones.pop() if len(zones) == 1 else timezone.get_default_timezone_name()))
