"""The questions put to the ledger: exact at every step, at rest in the end (ledger.md §9)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Sum

from connectors.models import Connection
from inventory.models import Listing, Movement, StockLevel, Voucher
from sync.models import Order, OrderLine, OutboundWrite, SyncConflict
from tests.simulation.world import PARENT, SKUS, Shown, Web, World

Resolution = SyncConflict.Resolution
CLOCKS = timedelta(seconds=5)  # how far a store's clock is off, at most


class Judge:
    """Holds the ledger of one world against what truly happened. `wrong` says where it was not exact."""

    def __init__(self, world: World, stores: Sequence[Connection]) -> None:
        self.world, self.stores = world, stores
        self.wrong: list[str] = []
        self.drift: dict[tuple[int, str], int] = {}
        self.orders: dict[tuple[int, int], datetime] = {}  # when the known state of each order is from
        self.newest: dict[str, datetime] = {}  # the newest reading of the till that was used, by SKU
        self.booked: dict[str, int] = {}  # what was booked from the till then
        self.opened_with: dict[str, int] = {}  # what the till had moved when its account was opened
        self.opened_at: dict[tuple[int, str], datetime] = {}  # when each listing's account was opened the last time

    def is_wrong(self, words: str) -> None:
        self.world.told(f"WRONG: {words}")
        self.wrong.append(words)

    # -- at every step -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Is the ledger exact? What it called till activity happened at the till; what it called drift was edited by hand."""
        self._tell()
        self._accounts_opened()
        self._till()
        self._orders()
        self._drift()

    def _tell(self) -> None:
        accounts = Listing.objects.exclude(baseline=None).order_by("connection", "sku")
        told = accounts.values_list("connection", "sku", "baseline", "suspect")
        self.world.told(
            "  " + " ".join(f"{store}:{sku}={units:f}{f'?{off:+f}' if off else ''}" for store, sku, units, off in told)
        )

    def _till(self) -> None:
        till, by_till = self.world.till, Movement.objects.filter(kind=Movement.Kind.TILL).order_by()
        by_till = by_till.exclude(voucher__kind=Voucher.Kind.CONFLICT)
        booked = dict(by_till.values_list("item__sku").annotate(units=Sum("quantity")))
        sums = dict(Movement.objects.order_by().values_list("item__sku").annotate(units=Sum("quantity")))
        for sku, on_hand, read_at in StockLevel.objects.values_list("item__sku", "on_hand", "read_at"):
            known, units = self.newest.get(sku), int(booked.get(sku, 0))
            if known is None:
                opening = Movement.objects.get(kind=Movement.Kind.OPENING, item__sku=sku)
                self.opened_with[sku] = till.moved_by(sku, opening.occurred_at)[0]
            newest = self.newest[sku] = max(read_at, known or read_at)
            happened = [moved - self.opened_with[sku] for moved in till.moved_by(sku, newest)]
            if newest == known and units != self.booked[sku]:
                self.is_wrong(f"{sku}: booked {units - self.booked[sku]:+d} from the till without a newer reading")
            elif units not in happened:
                self.is_wrong(f"{sku}: booked {units} from the till by {newest:%H:%M:%S}, {happened} happened")
            if sums[sku] != on_hand:
                self.is_wrong(f"{sku}: on hand is {on_hand}, its movements say {sums[sku]}")
            self.booked[sku] = units

    def _orders(self) -> None:
        for store, order, modified_at in Order.objects.values_list("connection", "remote_id", "modified_at"):
            known_at = self.orders.setdefault((store, order), modified_at)
            if modified_at < known_at:
                self.is_wrong(f"order {order} went back from {known_at:%H:%M:%S} to {modified_at:%H:%M:%S}")
            self.orders[store, order] = modified_at

    def _drift(self) -> None:
        drift = self._called_drift()
        for (number, sku), units in drift.items():
            known, web = self.drift.get((number, sku), 0), self.world.webs[number]
            edits = [web.edits[sku], *web.edits_lately.get(sku, ())]  # somebody may have typed since the engine read
            if units != known and all(abs(units - typed) >= abs(known - typed) for typed in edits):
                self.is_wrong(
                    f"{sku} in store {number}: drift of {units - known:+d}, {edits[0] - known:+d} were edited and not known"
                )
        for web in self.world.webs:
            web.edits_lately.clear()
        self.drift = drift

    def _called_drift(self) -> dict[tuple[int, str], int]:
        """Result: by store and SKU, what was called drift and settled so, by a rule or by the manager."""
        settled = SyncConflict.objects.filter(
            conflict_type=SyncConflict.Type.QUANTITY, resolution__in=(Resolution.POS, Resolution.WOO, Resolution.COUNT)
        ).order_by()
        numbers = {store.pk: number for number, store in enumerate(self.stores)}
        rows = settled.values_list("store", "alignment__listing__sku").annotate(units=Sum("difference"))
        return {(numbers[store], sku): int(units) for store, sku, units in rows}

    def believe(self) -> None:
        """The manager has decided, by what was known: that is no error, whatever it was."""
        self.drift = self._called_drift()

    # -- when an account is opened -----------------------------------------------------------------------------------

    def _accounts_opened(self) -> None:
        numbers = {store.pk: number for number, store in enumerate(self.stores)}
        opened = Listing.objects.exclude(baseline=None).exclude(opened_at=None).order_by("connection", "sku")
        for listing in opened:
            number = numbers[listing.connection_id]
            known = self.opened_at.get((number, listing.sku))
            if known != listing.opened_at:
                self._account_opened(self.world.webs[number], listing, is_first=known is None)
                self.opened_at[number, listing.sku] = listing.opened_at

    def _account_opened(self, web: Web, listing: Listing, *, is_first: bool) -> None:
        """What the product says of a first reading (docs/sync.md): orders that it saw before are in the numbers of both sides.
        What nobody can tell apart: a sale that had moved the number, and whose order was seen only afterwards. It counts as an
        order, and its units show once more, as if somebody had typed them."""
        opened_at, sku = listing.opened_at, listing.sku
        self.world.told(f"account of {sku} in web{self.world.webs.index(web)} opened at {opened_at:%H:%M:%S}")
        lines = {line.order.remote_id: line for line in OrderLine.objects.filter(listing=listing).select_related("order")}
        for line in lines.values():
            if is_first and line.order.created_at > opened_at + CLOCKS and line.booked != line.taken:
                self.is_wrong(f"order {line.order.remote_id} of after the opening of {sku} is booked as {line.booked}")
            if is_first:
                web.before[sku] += int(line.taken - line.booked)
        shown = self._shown(web, sku, opened_at)
        # What was typed before, and never noticed, is in that number too.
        web.edits[sku] -= shown.edits[sku] - self.drift.get((self.world.webs.index(web), sku), 0)
        web.edits_lately.pop(sku, None)
        for late in shown.unseen:
            line = lines.get(late.order_id)
            if late.sku == sku and (line is None or line.booked):
                self.world.told(f"  {late.units} {sku} of an order seen later were in that number")
                web.edits_lately.setdefault(sku, []).append(web.edits[sku])
                web.edits[sku] += late.units

    def _shown(self, web: Web, sku: str, opened_at: datetime) -> Shown:
        """Result: when the number was shown that opened the account."""
        is_variation = web.app.product(web.ids[sku]).parent_id == PARENT
        return next(shown for shown in web.served if shown.at >= opened_at and shown.of_variations == is_variation)

    # -- in the end --------------------------------------------------------------------------------------------------

    def amiss(self) -> list[str]:
        """Result: what disagrees now: ledger, shelf, till and stores. Empty: at rest."""
        found = []
        on_hand = dict(StockLevel.objects.values_list("item__sku", "on_hand"))
        for sku in SKUS:
            shelf, till = self.world.shelf(sku), self.world.till.on_hand(sku)
            if not shelf == till == on_hand[sku]:
                found.append(f"{sku}: shelf {shelf}, till {till}, ledger {on_hand[sku]}")
            for number, web in enumerate(self.world.webs):
                target = max(0, shelf - web.buffer)
                if web.shows(sku) != target:
                    found.append(f"{sku} in store {number}: shows {web.shows(sku)}, should {target}")
        open_writes = OutboundWrite.objects.filter(state__in=OutboundWrite.OPEN).count()
        return [*found, f"{open_writes} writes open"] if open_writes else found

    def compare_drift(self) -> None:
        """In the end, all that was edited is known as such, and nothing else."""
        for number, web in enumerate(self.world.webs):
            for sku in SKUS:
                known, edited = self.drift.get((number, sku), 0), web.edits[sku]
                if known != edited:
                    self.is_wrong(f"{sku} in store {number}: {known} called drift, {edited} edited")
