"""A full sync against a store that costs what a real one costs, beside the floor and the three ways of others."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from django.utils import timezone

from connectors.models import Connection
from sync.models import SyncRun
from sync.turns.run import run_sync
from tests.bench import plain, rows
from tests.bench.catalogue import Catalogue, Exports
from tests.bench.shop import RECORDED, Cost, Shop

SHARES = (0, 5, 100)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took, and how many requests it was. `sample`: measured on so many items and scaled; 0: whole."""

    seconds: float
    requests: int
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """One share of changed numbers: our time and the floor's, medians of `times` measurements taken in turns."""

    percent: int
    changed: int
    ours: Timing
    floor: Timing
    times: int


@dataclass(frozen=True, slots=True)
class FullSync:
    """Everything measured against one store. The others write the same whatever has changed, so they are measured once."""

    pairs: int
    version: str
    cost: Cost
    shares: list[Share]
    others: dict[str, Timing]  # "b1" … one request at a time, as their users have them; "b1_lanes" … as many at once as we
    lanes: int = 2


class Rig:
    """A shop and our tables, in step. `shows` is what both sides say."""

    def __init__(self, shop: Shop, catalogue: Catalogue, folder: Path, *, cost: Cost = RECORDED) -> None:
        self.shop, self.catalogue, self.cost = shop, catalogue, cost
        self.wares = list(catalogue.wares())
        self.shows = {ware.remote_id: ware.quantity for ware in self.wares}
        self.exports = Exports(folder / "till", catalogue)
        till, self.store = rows.connect(shop, folder / "till")
        rows.fill(till, self.store, catalogue)
        self.exports.write(self.shows)
        ours(self.store)  # never timed: whatever only the first sync has to do is done

    def share(self, percent: int, *, times: int) -> Share:
        """Measure our sync and the floor in turns, each with the same number of changes."""
        ours_took, floor_took, changed = [], [], 0
        for turn in range(times):
            new = self.shows | self.catalogue.changed(self.shows, percent, seed=1000 * percent + turn)
            changed = sum(1 for remote_id, quantity in new.items() if quantity != self.shows[remote_id])
            floor_took.append(self._timed(lambda: plain.floor(self.shop, self.catalogue, new)))  # noqa: B023 - called here
            self._expect(new)
            plain.floor(self.shop, self.catalogue, self.shows)
            self.exports.write(new)
            ours_took.append(self._timed(lambda: ours(self.store, writes=changed)))  # noqa: B023 - called here
            self._expect(new)
            self.shows = new
        return Share(percent, changed, _middle(ours_took), _middle(floor_took), times)

    def other(self, way: Callable[..., None], *, sample: int, lanes: int) -> Timing:
        """Measure one of the others on the first and the last items, so that variations are among them as in the whole; then
        scale each part to all of its kind."""
        simple = [ware for ware in self.wares if not ware.is_variation]
        variations = [ware for ware in self.wares if ware.is_variation]
        seconds, requests, measured = 0.0, 0, 0
        for kind in (simple, variations):
            part = kind[: max(4, round(sample * len(kind) / len(self.wares)) // 4 * 4)] if sample else kind
            took = self._timed(lambda: way(self.shop, part, self.shows, lanes=lanes))  # noqa: B023 - called here
            seconds += took.seconds * len(kind) / len(part)
            requests += round(took.requests * len(kind) / len(part))
            measured += len(part)
        return Timing(seconds, requests, measured if measured < len(self.wares) else 0)

    def _timed(self, work: Callable[[], object]) -> Timing:
        with self.shop.costing(self.cost):
            self.shop.requests_made()
            started = perf_counter()
            work()
            seconds = perf_counter() - started
            return Timing(seconds, self.shop.requests_made())

    def _expect(self, wanted: dict[int, int]) -> None:
        """Raises AssertionError unless the store shows exactly that: what is wrong is not fast."""
        shown = plain.numbers(self.shop, self.catalogue)
        assert shown == wanted, f"{sum(1 for key in wanted if shown.get(key) != wanted[key])} numbers are wrong"


def ours(store: Connection, *, writes: int = 0) -> None:
    """One full sync by the product. Raises AssertionError unless it wrote as many numbers as had changed."""
    run = run_sync(store=store, kind=SyncRun.Kind.FULL, now=timezone.now)
    assert run.state == SyncRun.State.DONE, f"{run.state}: {run.message}"
    assert run.counts.get("writes", 0) == writes, run.counts


def _middle(timings: list[Timing]) -> Timing:
    return Timing(median(one.seconds for one in timings), timings[-1].requests)


def full_sync_measure(
    *, folder: Path, catalogue: Catalogue, version: str, quick: bool, say: Callable[[str], None], cost: Cost = RECORDED
) -> FullSync:
    """Measure everything against one store of that version. Our database must be there and empty."""
    with Shop(catalogue.store_file(folder / "store.json"), version=version) as shop:
        rig = Rig(shop, catalogue, folder, cost=cost)
        shares = []
        for percent in SHARES:
            say(f"a full sync with {percent} % changed, and its floor")
            shares.append(rig.share(percent, times=1 if quick or percent == 100 else 3))
        others = {}
        for name, way, sample in (
            ("b1", plain.one_put_each, 96),
            ("b2", plain.batch_everything, 427),
            ("b3", plain.read_then_put, 64),
        ):
            for suffix, lanes in (("", 1), ("_lanes", 2)):
                say(f"{name.upper()}, {lanes} at once")
                others[name + suffix] = rig.other(way, sample=sample // (4 if quick else 1), lanes=lanes)
        return FullSync(catalogue.pairs, version, cost, shares, others)
