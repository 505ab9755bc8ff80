"""What becomes of what stores tell: booked once, told on, whatever came late, twice, or in the wrong order."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.sync.hooked import events, share_secret, tell, work
from tests.sync.shop import Shop


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """Two products in step, a till that is told, and a shop that signs."""
    shop = open_shop(stock={"MUG-1": 10, "BOWL-1": 6}, till_mode="live")
    share_secret(shop.store)
    shop.running()
    return shop


def test_an_online_order_reaches_the_till_without_a_run(shop: Shop) -> None:
    order = shop.app.place_order([("MUG-1", 3)])
    assert tell(shop, order.id).status_code == 200
    assert work(shop) == "done"
    shop.take_in_adjustments()
    assert shop.shelf() == {"MUG-1": Decimal(7), "BOWL-1": Decimal(6)}
    assert events() == [("order.updated", order.id, "done")]
    assert shop.sent() == {}  # the shop's own number has moved already
