"""An order is booked while a till's list is: whichever statement of the one the other falls between, no unit is lost."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from connectors.contract import Feed, OrderLine, OrderState, TillReading
from inventory.models import Listing, Location, Movement, StockLevel
from sync.orders.apply import orders_apply
from sync.orders.turns import order_turn
from sync.tills.chunk import TillChunk

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
WAIT = 0.3  # seconds: by then the other has ended, or waits for a lock
MOST = 60


class Held:
    """Lets the statements of one thread through up to the n-th; there it waits until the other has had its chance."""

    def __init__(self, place: int, meanwhile: Callable[[], None]) -> None:
        self.place, self.meanwhile, self.count = place, meanwhile, 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        if self.count == self.place:
            self.meanwhile()
        return execute(sql, params, many, context)


def between(place: int, first: Callable[[], None], second: Callable[[], None]) -> int:
    """Run `second` between two statements of `first`. Result: how many statements `first` has."""
    failed: list[BaseException] = []
    reached = Event()

    def run() -> None:
        reached.wait(10)
        try:
            second()
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connection.close()

    other = Thread(target=run)
    other.start()

    def meanwhile() -> None:
        reached.set()
        other.join(WAIT)

    held = Held(place, meanwhile)
    with connection.execute_wrapper(held):
        first()
    reached.set()
    other.join(20)
    assert not other.is_alive()
    assert failed == []
    return held.count


@pytest.mark.parametrize("order_first", [False, True], ids=["an order within a list", "a list within an order"])
def test_no_unit_is_lost_between_any_two_statements(tmp_path, order_first):
    from tests.sync.shop import opened

    with opened(tmp_path / "drop", stock={"A": 50}) as shop:
        shop.open()
        shop.sync()
        level, listing = StockLevel.objects.get(), Listing.objects.get()
        place = Location.objects.get(pk=level.location_id)
        with order_turn(store=shop.store, now=shop.clock.now) as ctx:
            ctx.run.save()  # what changes is logged with it
            side = ctx.tills[0]
            statements, number = 99, 0
            while number < statements:
                number += 1
                at = shop.clock.now() + timedelta(hours=number)
                shows = StockLevel.objects.get().baseline - 2
                line = OrderLine(number, listing.remote_id, "A", "A", Decimal(1), Decimal(1))
                order = OrderState(number, str(number), "processing", "EUR", at, at, [line])
                feed = Feed(f"{number:064}", f"{number}.csv", at, [TillReading("A", place.remote_name, shows)])

                def book_list(feed: Feed = feed) -> None:
                    with transaction.atomic():
                        TillChunk(ctx, side, feed, {place.remote_name: place.pk}, {}).apply(list(feed.readings), set())

                def book_order(order: OrderState = order) -> None:
                    with transaction.atomic():
                        orders_apply(ctx=ctx, orders=[order])

                works = (book_order, book_list) if order_first else (book_list, book_order)
                statements = between(number, *works)
                held = Movement.objects.aggregate(sum=Sum("quantity"))["sum"]
                level.refresh_from_db()
                assert level.on_hand == held == 50 - 3 * number, number
                assert level.baseline == level.last_reading == 50 - 2 * number, number
        assert 5 < number < MOST
