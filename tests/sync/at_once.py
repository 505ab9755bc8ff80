"""People who settle the same conflicts at the same moment, each in a thread with a database connection of its own."""

from collections.abc import Callable
from decimal import Decimal
from threading import Barrier, Thread

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from alignment.models import Alignment
from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError
from inventory.models import Listing, Movement, StockLevel
from sync.conflicts.settle import Settled, conflict_resolve, conflicts_resolve
from sync.models import SyncConflict, SyncLog
from tests import factories as make

PAIRS = 30


def conflicts_make() -> list[SyncConflict]:
    """4 lie on each shelf, and the shop shows 19."""
    till, store = make.pos_connection(), make.store_connection()
    place = make.location(till)
    make.supply(store, place)
    rows = []
    for n in range(PAIRS):
        item = make.item(till, f"SKU-{n}")
        make.level(item, 4, place=place, baseline=Decimal(4))
        pair = make.alignment(item, make.listing(store, f"SKU-{n}", baseline=Decimal(4), quantity=Decimal(19), suspect=15))
        rows.append(
            SyncConflict.objects.create(
                store=store, alignment=pair, conflict_type="quantity_mismatch", pos_value="4", woo_value="19",
                difference=Decimal(15), drift_class="critical", detected_at=timezone.now(),
            )
        )  # fmt: skip
    return rows


def at_once(*works: Callable[[], object]) -> list[object]:
    """Result: what each gave or raised, having begun together, each with a database connection of its own."""
    start, results = Barrier(len(works)), [None] * len(works)

    def work(place: int) -> None:
        start.wait(30)
        try:
            results[place] = works[place]()
        except (ConfigError, LeaseHeldError) as error:
            results[place] = error
        finally:
            connection.close()

    threads = [Thread(target=work, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def assert_each_settled_once() -> None:
    """What the ledger holds is what the conflicts say became of them, whoever won."""
    by_shop = SyncConflict.objects.filter(resolution="woo").count()
    settled = SyncConflict.objects.exclude(resolved_at=None).count()
    assert Movement.objects.count() == by_shop
    assert (Movement.objects.aggregate(sum=Sum("quantity"))["sum"] or 0) == 15 * by_shop
    assert StockLevel.objects.filter(on_hand=19).count() == by_shop
    assert Listing.objects.filter(baseline=19).count() == settled
    assert SyncLog.objects.count() == SyncConflict.history.filter(history_type="~").count() == settled
    assert Alignment.objects.count() == PAIRS


def one_by_one_of_two(conflicts: list[SyncConflict]) -> None:
    """One conflict is settled by one of two people, and the other is told."""

    def settle(winner: str) -> Callable[[], object]:
        return lambda: conflict_resolve(conflict=conflicts[0], winner=winner, by=None, reason=winner, now=timezone.now)

    results = at_once(settle("pos"), settle("woo"))
    errors = [one for one in results if isinstance(one, Exception)]
    assert len(errors) == 1
    assert "settled already" in str(errors[0]) or "is running" in str(errors[0])
    assert SyncConflict.objects.exclude(resolved_at=None).count() == 1
    assert_each_settled_once()


def many_by_one_of_three(conflicts: list[SyncConflict]) -> None:
    """Many are settled once each, and the others are told."""
    chosen = {one.pk: "" for one in conflicts}

    def settle(winner: str) -> Callable[[], object]:
        return lambda: conflicts_resolve(chosen=chosen, winner=winner, by=None, reason=winner, now=timezone.now)

    results = at_once(settle("pos"), settle("woo"), settle("merge"))
    parts = [one for one in results if isinstance(one, Settled)]
    assert len(parts) == 3
    assert sorted(pk for part in parts for pk in part.done) == sorted(chosen)
    assert all({*part.done} | part.left_out.keys() == chosen.keys() for part in parts)
    assert SyncConflict.objects.filter(resolved_at=None).count() == 0
    SyncConflict.objects.filter(resolution="merge").update(resolution="woo")  # they book the same
    assert_each_settled_once()
