"""What a till knows and does: items, what lies where, and everything that ever happened to it. In memory, thread-safe."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from threading import RLock
from uuid import UUID

from sandbox.till.catalogue import CatalogueRow, made_up, read_catalogue
from sandbox.till.versions import VersionLog
from sandbox.till.words import Adjustment, Happening, Item, Kind, Level, Page, StaffNote, TillError, TillState


def utc_now() -> datetime:
    return datetime.now(UTC)


class Till:
    """One till with one or more locations; the first is the default. Every method is atomic.

    A till never refuses a sale for want of stock: the customer has it in hand, so what lies there may go below zero.
    """

    def __init__(
        self, *, locations: Sequence[str] = ("Main",), clock: Callable[[], datetime] = utc_now, zone: tzinfo = UTC
    ) -> None:
        self.locations = tuple(locations)
        self.clock = clock
        self.zone = zone
        self.happenings: list[Happening] = []
        self._lock = RLock()
        self._version = 0
        self._items: dict[str, Item] = {}
        self._levels: dict[tuple[str, str], Level] = {}
        self._item_log: VersionLog[str] = VersionLog()
        self._level_log: VersionLog[tuple[str, str]] = VersionLog()
        self._sales: list[Happening] = []
        self._booked: dict[UUID, Happening] = {}
        self.notes: dict[UUID, StaffNote] = {}

    # -- shop life ---------------------------------------------------------------------------------------------------

    def sell(self, sku: str, n: Decimal | int, location: str | None = None) -> Happening:
        """Sell n (below zero: goods brought back)."""
        with self._lock:
            sale = self._change(Kind.SALE, sku, location, -Decimal(n), unit_price=self.item(sku).price)
            self._sales.append(sale)
            return sale

    def receive(self, sku: str, n: Decimal | int, location: str | None = None) -> Happening:
        """Take a delivery of n."""
        return self._change(Kind.RECEIPT, sku, location, Decimal(n))

    def count(self, sku: str, n: Decimal | int, location: str | None = None) -> Happening | None:
        """Set what lies there to what was counted. None: it was right already, nothing happened."""
        with self._lock:
            delta = Decimal(n) - self.on_hand(sku, location)
            return self._change(Kind.COUNT, sku, location, delta) if delta else None

    def reprice(self, sku: str, price: Decimal) -> Item:
        with self._lock:
            item = self.item(sku)
            if item.price == price:
                return item
            return self._keep(replace(item, price=price, version=self._next(), modified_at=self.clock()))

    def adjust(self, adjustment: Adjustment) -> tuple[Happening, bool]:
        """Book an adjustment once. Returns what happened, and whether it happened now (False: before).

        Raises TillError: `operation_id_reused` (booked before with other content), `unknown_sku`, `unknown_location`,
        `zero_delta`.
        """
        with self._lock:
            wanted = self._agreed(adjustment)
            if booked := self._booked.get(wanted.operation_id):
                return booked, False
            happening = self._change(Kind.ADJUSTMENT, wanted.sku, wanted.location, wanted.delta, adjustment=wanted)
            self._booked[wanted.operation_id] = happening
            return happening, True

    def show_note(self, operation_id: UUID, title: str, lines: Sequence[str]) -> tuple[StaffNote, bool]:
        """Show a note once. Returns it, and whether it was shown now (False: before)."""
        with self._lock:
            is_new = operation_id not in self.notes
            shown = self.notes.setdefault(operation_id, StaffNote(operation_id, title, tuple(lines), self.clock()))
            return shown, is_new

    def adjust_all(self, adjustments: Sequence[Adjustment]) -> int:
        """Book all or, when one of them can't be, none (TillError says why). Returns how many happened now."""
        with self._lock:
            agreed: dict[UUID, Adjustment] = {}
            for adjustment in adjustments:
                wanted = self._agreed(adjustment)
                if agreed.setdefault(wanted.operation_id, wanted) != wanted:
                    raise TillError(
                        "operation_id_reused", f"Operation {wanted.operation_id} comes twice, with different content."
                    )
            return sum(self.adjust(wanted)[1] for wanted in agreed.values())

    def adjustment(self, operation_id: UUID) -> Happening | None:
        """What was booked under an operation id. None: nothing was."""
        with self._lock:
            return self._booked.get(operation_id)

    # -- what it shows -----------------------------------------------------------------------------------------------

    def location(self, name: str | None) -> str:
        """The location of that name; the default one for none. Raises TillError `unknown_location`."""
        if not name:
            return self.locations[0]
        if name not in self.locations:
            raise TillError("unknown_location", f"The till has no location {name!r}.")
        return name

    def item(self, sku: str) -> Item:
        """Raises TillError `unknown_sku`."""
        with self._lock:
            if sku not in self._items:
                raise TillError("unknown_sku", f"The till has no item {sku!r}.")
            return self._items[sku]

    def on_hand(self, sku: str, location: str | None = None) -> Decimal:
        """What lies there; zero where the item never lay. Raises TillError for an unknown item or location."""
        with self._lock:
            level = self._levels.get((self.item(sku).sku, self.location(location)))
            return level.on_hand if level else Decimal(0)

    def skus(self) -> list[str]:
        with self._lock:
            return list(self._items)

    def items_after(self, version: int, limit: int) -> Page[Item]:
        with self._lock:
            keys, next_after, has_more = self._item_log.after(version, limit)
            return Page([self._items[key] for key in keys], next_after, has_more, self.clock())

    def levels_after(self, version: int, limit: int) -> Page[Level]:
        with self._lock:
            keys, next_after, has_more = self._level_log.after(version, limit)
            return Page([self._levels[key] for key in keys], next_after, has_more, self.clock())

    def sales_after(self, version: int, limit: int) -> Page[Happening]:
        with self._lock:
            start = bisect_right(self._sales, version, key=lambda sale: sale.version)
            rows = self._sales[start : start + limit]
            next_after = rows[-1].version if rows else version
            return Page(rows, next_after, start + limit < len(self._sales), self.clock())

    def snapshot(self, location: str | None = None) -> tuple[datetime, list[CatalogueRow]]:
        """Every item as it is at one location, and the moment all of it was true."""
        with self._lock:
            place = self.location(location)
            return self.clock(), [_row(item, self._levels.get((item.sku, place))) for item in self._items.values()]

    # -- filling it --------------------------------------------------------------------------------------------------

    def load_csv(self, path: Path | str, *, encoding: str = "utf-8-sig") -> int:
        """Take in an export as opening stock at the default location. Returns the number of items. ValueError: not one."""
        rows = list(read_catalogue(Path(path), encoding=encoding, zone=self.zone))
        self.stock(rows)
        return len(rows)

    def generate(self, n: int, *, seed: int = 0) -> None:
        """Fill the till with n made-up items, the same ones for the same seed."""
        self.stock(made_up(n, seed=seed, now=self.clock()))

    def stock(self, rows: Iterable[CatalogueRow]) -> None:
        """Take in items with their opening stock at the default location. No happening: nobody moved anything."""
        with self._lock:
            for row in rows:
                self._keep(
                    Item(
                        sku=row.sku,
                        name=row.name,
                        barcode=row.barcode,
                        department=row.department,
                        vendor=row.vendor,
                        cost=row.cost,
                        price=row.price,
                        price_sign=row.price_sign,
                        version=self._next(),
                        modified_at=row.modified_at,
                    )
                )
                self._lay(Level(row.sku, self.locations[0], row.on_hand, self._next(), row.modified_at))

    def dump(self) -> TillState:
        """Everything it knows now, for `restore`."""
        with self._lock:
            items, levels = list(self._items.values()), list(self._levels.values())
            return TillState(self._version, items, levels, list(self.happenings))

    def restore(self, state: TillState) -> None:
        """Go on from a state, forgetting whatever this till knew. Orders, versions and operation ids are as they were."""
        with self._lock:
            self._version, self.happenings = state.version, list(state.happenings)
            self._sales = [happening for happening in state.happenings if happening.kind == Kind.SALE]
            self._booked = {booked.adjustment.operation_id: booked for booked in state.happenings if booked.adjustment}
            self._items = {item.sku: item for item in state.items}
            self._levels = {(level.sku, level.location): level for level in state.levels}
            self._item_log, self._level_log = VersionLog(), VersionLog()
            for item in sorted(state.items, key=lambda item: item.version):
                self._item_log.touch(item.sku, item.version)
            for level in sorted(state.levels, key=lambda level: level.version):
                self._level_log.touch((level.sku, level.location), level.version)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self._version += 1
        return self._version

    def _keep(self, item: Item) -> Item:
        self._items[item.sku] = item
        self._item_log.touch(item.sku, item.version)
        return item

    def _lay(self, level: Level) -> None:
        key = (level.sku, level.location)
        self._levels[key] = level
        self._level_log.touch(key, level.version)

    def _change(
        self,
        kind: Kind,
        sku: str,
        location: str | None,
        delta: Decimal,
        *,
        unit_price: Decimal | None = None,
        adjustment: Adjustment | None = None,
    ) -> Happening:
        with self._lock:
            place = self.location(location)
            on_hand, version, now = self.on_hand(sku, place) + delta, self._next(), self.clock()
            happening = Happening(kind, sku, place, delta, on_hand, version, now, unit_price, adjustment)
            self._lay(Level(sku, place, on_hand, version, now))
            self.happenings.append(happening)
            return happening

    def _agreed(self, adjustment: Adjustment) -> Adjustment:
        """The adjustment with its location named, if it can be booked or has been. Raises TillError."""
        wanted = replace(adjustment, location=self.location(adjustment.location))
        booked = self._booked.get(wanted.operation_id)
        if booked and booked.adjustment != wanted:
            raise TillError("operation_id_reused", f"Operation {wanted.operation_id} was booked before with other content.")
        if not wanted.delta:
            raise TillError("zero_delta", "An adjustment of nothing can't be booked.")
        self.item(wanted.sku)
        return wanted


def _row(item: Item, level: Level | None) -> CatalogueRow:
    """An item as an export shows it: modified when it or its quantity last changed."""
    return CatalogueRow(
        sku=item.sku,
        name=item.name,
        barcode=item.barcode,
        department=item.department,
        vendor=item.vendor,
        cost=item.cost,
        price=item.price,
        on_hand=level.on_hand if level else Decimal(0),
        modified_at=max(item.modified_at, level.changed_at) if level else item.modified_at,
        price_sign=item.price_sign,
    )
