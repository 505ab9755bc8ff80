"""A till's prices reach the shop, exactly and once, and a person sees those that jump."""

from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connectors.woocommerce.store import WooCommerceStore
from inventory.models import Item, Listing
from sync.models import OutboundWrite, PricePolicy, PriceReview, PriceWrite, SyncState
from tests.sync.shop import FULL, INCREMENTAL, problems, product
from tests.sync.turns.test_broken_off import PowerCutError, cut

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("currency", "decimals", "new", "wire"),
    [("EUR", "2", "5.5", "5.50"), ("USD", "2", "4.99", "4.99"), ("JPY", "0", "6", "6"), ("KWD", "3", "5.125", "5.125")],
)
def test_a_price_makes_the_round_trip_and_a_second_run_writes_nothing(priced, currency, decimals, new, wire):
    till = priced(currency=currency, decimals=decimals)
    till.write_numbers_like("1,234.50")  # 5.125 alone may be five thousand
    till.reprice(MUG=new)
    run = till.sync()
    assert (run.state, run.counts["prices_written"], "writes" in run.counts) == ("done", 1, False)
    assert till.sent() == {"MUG": [wire]}
    assert till.shown() == {"MUG": wire, "CUP": "5", "POT": "5"}
    assert till.logged("pos") == [("MUG", "5", _shown(new), "Changed at the till")]
    assert till.logged("sync_engine") == [("MUG", "5", _shown(new), "The till's price")]
    state = SyncState.objects.get(pos_sku="MUG")
    assert (state.pos_price, state.woo_price, state.pos_cost) == (Decimal(new), Decimal(new), 2)
    till.shop.app.forget_requests()
    run = till.sync()
    assert till.shop.app.writes == []
    assert run.counts["prices_same"] == 3
    assert len(till.logged("sync_engine")) == 1


def _shown(price: str) -> str:
    return {"5.5": "5.50"}.get(price, price)


def test_number_and_price_of_one_product_go_out_in_one_request(priced):
    till = priced(options={"lanes": 1})
    till.shop.till.sell("MUG", 3)
    till.reprice(MUG="5.50", CUP="4.80")
    till.sync()
    [request] = till.shop.app.writes
    items = {item["id"]: (item.get("inventory_delta"), item.get("regular_price")) for item in request.body["update"]}
    assert items == {100: (-3, "5.50"), 101: (None, "4.80")}
    assert till.shop.shown() == till.shop.expected()
    assert {row.carries_number for row in OutboundWrite.objects.filter(price__isnull=False)} == {True, False}
    assert till.shop.logged("sync_engine") == [("MUG", "5", "5.50"), ("CUP", "5", "4.80"), ("MUG", "10", "7")]


def test_without_an_owner_no_price_is_touched(priced):
    till = priced(price_source="none")
    till.reprice(MUG="5.50")
    till.sync()
    till.shop.sync(FULL)
    assert till.sent() == {}
    assert till.shown()["MUG"] == "5"


def test_full_and_incremental_runs_leave_prices_to_the_price_sync(priced):
    till = priced()
    till.reprice(MUG="5.50")
    till.shop.sync(FULL)
    till.shop.sync(INCREMENTAL)
    assert till.sent() == {}


def test_an_edit_in_the_shop_is_put_right_within_the_band_and_asked_about_beyond(priced):
    till = priced()
    till.edit("MUG", regular_price="5.20")
    till.edit("CUP", regular_price="9")
    till.sync()
    assert till.sent() == {"MUG": ["5.00"]}
    assert ("CUP", "5", "9", "Changed in the shop") in till.logged("woo")
    review = PriceReview.objects.get()
    assert (str(review.alignment.item), review.old_price, review.new_price) == ("CUP", 9, 5)
    assert (review.change_percent, review.state) == (Decimal("-44.44"), "open")
    assert till.shown()["CUP"] == "9"


@pytest.mark.parametrize(
    ("price", "why"), [("6.01", "more than the 20 % allowed"), ("1.90", "It is below cost."), ("0", "It would be free.")]
)
def test_what_jumps_or_loses_money_waits_and_is_not_written(priced, price, why):
    till = priced()
    till.reprice(MUG=price)
    run = till.sync()
    assert till.sent() == {}
    review = PriceReview.objects.get()
    assert why in review.why
    assert (review.cost, review.margin_before) == (2, 60)
    assert run.counts["price_reviews"] == 1
    till.sync()
    assert PriceReview.objects.count() == 1
    assert review.history.count() == 1


def test_a_missing_price_is_refused_and_named(priced):
    till = priced()
    Item.objects.filter(sku="MUG").update(price=None)
    run = till.sync()
    assert till.sent() == {}
    assert problems(run) == [("MUG", None, "no_price")]
    assert run.state == "done"


def test_an_unaligned_product_is_left_alone(priced):
    till = priced(
        listed=[product(100, "MUG", 10, regular_price="5"), product(101, "OTHER", 3, regular_price="77")], skus=("MUG",)
    )
    till.reprice(MUG="5.50")
    till.sync()
    assert till.sent() == {"MUG": ["5.50"]}


def test_variations_get_their_own_price_and_their_product_none(priced):
    listed = [
        {"id": 100, "type": "variable", "sku": "SHIRT", "name": "Shirt"},
        product(101, "MUG", 10, regular_price="5", parent_id=100, type="variation"),
        product(102, "CUP", None, regular_price="5", parent_id=100, type="variation"),
    ]
    till = priced(("MUG", "CUP"), listed=listed)
    till.reprice(MUG="5.50", CUP="5.25")
    till.sync()
    assert till.sent() == {"MUG": ["5.50"], "CUP": ["5.25"]}
    assert (till.shown()["MUG"], till.shown()["CUP"]) == ("5.50", "5.25")
    assert Listing.objects.get(sku="CUP").baseline is None  # still not counted


def test_a_sale_price_stays(priced):
    till = priced(listed=[product(100, "MUG", 10, regular_price="5", sale_price="4")], skus=("MUG",))
    till.reprice(MUG="5.50")
    till.sync()
    assert (till.shown(), till.shown("sale_price")) == ({"MUG": "5.50"}, {"MUG": "4"})
    till.reprice(MUG="4.50")
    till.sync()
    till.reprice(MUG="4")
    till.sync()
    assert till.shown("sale_price") == {"MUG": "4"}
    assert "the shop would drop" in PriceReview.objects.get().why


def test_a_till_that_owns_sale_prices_ends_the_sale(priced):
    listed = [product(100, "MUG", 10, regular_price="5", sale_price="4.50")]
    till = priced(("MUG",), listed=listed, owns_sale_prices=True)
    till.sync()
    assert (till.shown(), till.shown("sale_price")) == ({"MUG": "5.00"}, {"MUG": ""})
    till.shop.app.forget_requests()
    till.sync()
    assert till.shop.app.writes == []


@pytest.mark.parametrize("applied", [True, False], ids=["took_effect", "no_effect"])
def test_a_price_without_an_answer_is_looked_up_and_never_doubled(priced, applied):
    till = priced(options={"read_timeout": 0.5, "lanes": 1})
    till.reprice(MUG="5.50")
    till.shop.app.faults.arm("close", method="POST", path="products/batch", applied=applied)
    run = till.sync()
    assert run.state == "done"
    assert till.sent()["MUG"] == ["5.50"] * (1 if applied else 2)
    assert till.shown()["MUG"] == "5.50"
    assert till.logged("sync_engine") == [("MUG", "5", "5.50", "The till's price")]
    assert till.logged("woo") == []
    assert till.shop.movements() == []
    assert till.shop.shown() == till.shop.expected()


def test_a_sale_during_a_price_write_is_no_riddle(priced):
    till = priced(options={"read_timeout": 0.5, "lanes": 1})
    till.reprice(MUG="5.50")
    till.shop.app.faults.arm("close", method="POST", path="products/batch", applied=True)
    till.sync(may_wait=False)
    till.shop.app.place_order([("MUG", 2)])
    till.shop.clock.tick(minutes=5)
    till.sync()
    assert till.shop.movements() == [("MUG", -2)]
    assert till.shop.shown()["MUG"] == 8


def test_dry_runs_and_observe_mode_write_nothing_and_say_what_they_would(priced):
    till = priced()
    till.reprice(MUG="5.50", CUP="50")
    run = till.sync(dry_run=True)
    assert run.preview == [{"sku": "MUG", "woo_sku": "MUG", "from": "5", "to": "5.50", "field": "price"}]
    assert not PriceReview.objects.exists()
    till.shop.store.mode = "observe"
    till.shop.store.save()
    run = till.sync()
    assert [row["to"] for row in run.preview] == ["5.50"]
    assert run.message == "3 pairs are in step. 1 price would change; none was written. 1 price change waits for a person."
    assert till.shop.app.writes == []
    assert not PriceWrite.objects.exists()


def test_a_run_that_would_reprice_the_whole_shop_is_held_and_can_be_released(priced):
    skus = tuple(f"S{n:02}" for n in range(12))
    till = priced(skus)
    till.reprice(**dict.fromkeys(skus, "5.50"))
    run = till.sync()
    assert run.state == "held"
    assert "12 of 12 prices" in run.message
    assert len(run.preview) == 12
    assert till.shop.app.writes == []
    released = till.sync(release=run)
    assert released.state == "done"
    assert set(till.shown().values()) == {"5.50"}


def test_a_price_the_shop_does_not_take_is_told_once_a_run(priced, monkeypatch):
    till = priced()
    till.reprice(MUG="5.50")
    monkeypatch.setattr("sandbox.woocommerce.writes.price_text", lambda _given: "7")
    run = till.sync()
    assert run.state == "partial"
    assert till.sent() == {"MUG": ["5.50"]}
    assert problems(run)[0][2] == "price_not_taken"
    assert till.logged("sync_engine") == []
    assert Listing.objects.get(sku="MUG").price == 7


@pytest.mark.every_database
@pytest.mark.slow
def test_many_prices_take_few_statements_and_few_requests(priced):
    """The bound is on what further prices cost: some thirty statements for each request of a hundred, however many there are."""
    statements: dict[int, int] = {}
    requests: dict[int, int] = {}
    for count in (60, 260):
        skus = tuple(f"N{count}-{n:04}" for n in range(count))
        till = priced(skus, guard_percent=100)
        till.reprice(**dict.fromkeys(skus, "5.50"))
        with CaptureQueriesContext(database) as seen:
            run = till.sync()
        assert run.counts["prices_written"] == count
        statements[count], requests[count] = len(seen), len(till.shop.app.writes)
        PricePolicy.objects.all().delete()
        till.shop.pos.name, till.shop.store.name = f"till-{count}", f"store-{count}"
        till.shop.pos.is_active = till.shop.store.is_active = False
        till.shop.pos.save()
        till.shop.store.save()
    assert requests[260] - requests[60] <= 4
    assert (statements[260] - statements[60]) / 200 * 1000 <= 450


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_broken_off_while_a_price_is_sent_it_is_written_and_logged_once(priced, monkeypatch, before):
    till = priced(options={"lanes": 1})
    till.shop.till.sell("MUG", 3)
    till.reprice(MUG="5.50")
    with monkeypatch.context() as patch:
        cut(patch, WooCommerceStore, "send", before=before)
        with pytest.raises(PowerCutError):
            till.sync()
    for _ in range(2):
        till.shop.clock.tick(minutes=5)
        till.sync()
    assert till.shown()["MUG"] == "5.50"
    assert till.shop.shown() == till.shop.expected()
    assert till.sent()["MUG"] == ["5.50"]
    assert till.logged("sync_engine") == [("MUG", "5", "5.50", "The till's price")]
    assert till.shop.movements() == [("MUG", -3)]


def test_an_unanswered_price_is_no_edit_of_the_shops_and_hides_none_of_its_numbers(priced):
    till = priced(options={"read_timeout": 0.5, "lanes": 1, "settle_seconds": 300})
    till.reprice(MUG="5.50")
    till.shop.app.faults.arm("close", method="POST", path="products/batch", applied=True)
    till.sync(may_wait=False)
    till.shop.app.set_quantity(100, 25)  # somebody types a number
    till.shop.clock.tick(minutes=1)
    run = till.shop.sync(FULL, may_wait=False)
    assert (run.counts["suspects"], till.logged("woo")) == (1, [])
    till.shop.clock.tick(minutes=10)
    till.sync(may_wait=False)
    assert till.logged("sync_engine") == [("MUG", "5", "5.50", "The till's price")]
    assert till.sent()["MUG"] == ["5.50"]
