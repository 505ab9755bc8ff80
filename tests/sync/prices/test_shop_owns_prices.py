"""The shop owns prices: its till is told, by request or by file, exactly and once."""

from decimal import Decimal

import pytest

from inventory.models import Item
from sync.models import PricePolicy, PriceReview, SyncLog, TillPrice
from sync.prices.reviews import review_decide
from tests.sync.prices.conftest import PRICES
from tests.sync.shop import FULL, problems, product
from tests.sync.tills.test_rest_pos import api_shop  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
PATCH = {"method": "PATCH", "path": "/price"}


@pytest.fixture
def files(priced):
    """A till that reads files, and is told."""
    return priced(price_source="store", options={"till_mode": "live"})


@pytest.fixture
def till(api_shop):  # noqa: F811
    """A till with an API, asking 5 for each item as its shop does."""
    shop = api_shop()
    for each in shop.app.catalogue.products.values():
        each.regular_price = "5"
    shop.store.currency = "EUR"
    shop.store.save()
    shop.sync(FULL)
    PricePolicy.objects.create(connection=shop.store, price_source="store", till_includes_tax=True)
    shop.later()
    shop.pos_app.forget_requests()
    return shop


def told(shop) -> list[tuple[str, str]]:
    return [(request.path.split("/")[-2], request.body["price"]) for request in shop.pos_app.writes]


def price_of(sku: str) -> Decimal | None:
    return Item.objects.get(sku=sku).price


def test_a_till_with_an_api_is_told_and_a_second_run_tells_nothing(till):
    till.app.product_by_sku("A").regular_price = "5.50"
    run = till.sync(PRICES)
    assert (run.state, run.counts["till_prices_written"]) == ("done", 1)
    assert told(till) == [("A", "5.50")]
    assert till.pos_app.item("A").price == Decimal("5.50")
    assert price_of("A") == Decimal("5.50")
    assert till.app.writes == []
    till.later()
    till.sync(PRICES)
    assert told(till) == [("A", "5.50")]
    logged = SyncLog.objects.filter(action="price_update").exclude(old_value="10").order_by("id")  # 10: before this test
    assert list(logged.values_list("source", "old_value", "new_value", "reason")) == [
        ("woo", "5", "5.50", "Changed in the shop"),
        ("sync_engine", "5", "5.50", "Told to the till. The shop's price"),
    ]


@pytest.mark.parametrize("applied", [True, False], ids=["took_effect", "no_effect"])
def test_a_till_that_gave_no_answer_is_asked_before_it_is_told_again(till, applied):
    till.app.product_by_sku("A").regular_price = "5.50"
    till.pos_app.faults.arm("close", applied=applied, **PATCH)
    till.sync(PRICES)
    assert TillPrice.objects.get().state == "unknown"
    till.sync(PRICES)  # too early to tell that it never came
    assert told(till) == [("A", "5.50")]
    till.later()
    till.sync(PRICES)
    assert told(till) == [("A", "5.50")] * (1 if applied else 2)
    assert till.pos_app.item("A").price == Decimal("5.50")
    assert sorted(TillPrice.objects.values_list("state", flat=True)) == (["applied"] if applied else ["applied", "not_sent"])


def test_a_jump_is_asked_about_and_told_once_approved(till):
    till.app.product_by_sku("A").regular_price = "9"
    till.sync(PRICES)
    assert told(till) == []
    review = PriceReview.objects.get()
    assert (review.price_source, review.old_price, review.new_price) == ("store", 5, 9)
    review_decide(review=review, approve=True, by=None, reason="yes", now=till.clock.now())
    till.later()
    till.sync("incremental")
    assert told(till) == [("A", "9.00")]
    review.refresh_from_db()
    assert review.state == "written"
    assert SyncLog.objects.get(source="manual").reason == "Told to the till. Approved by a person: yes"


def test_a_till_in_observe_mode_and_a_dry_run_are_told_nothing(till):
    till.app.product_by_sku("A").regular_price = "5.50"
    till.sync(PRICES, dry_run=True)
    till.pos.mode = "observe"
    till.pos.save()
    run = till.sync(PRICES)
    assert told(till) == []
    assert not TillPrice.objects.exists()
    assert [(row["sku"], row["to"]) for row in run.preview] == [("A", "5.50")]


def test_a_till_that_reads_files_gets_a_price_file_and_says_when_it_is_in(files):
    files.edit("MUG", regular_price="5.50")
    run = files.sync()
    assert run.counts["till_prices_sent"] == 1
    [name] = files.shop.waiting_files("outbound")
    assert name.startswith("prices_")
    content = (files.shop.folder / "outbound" / name).read_text()
    assert content.splitlines()[0] == "Operation ID,SKU,Retail Price,Currency,Reason"
    assert content.splitlines()[1].endswith(",MUG,5.50,EUR,The shop's price")
    assert (price_of("MUG"), TillPrice.objects.get().state) == (5, "unknown")
    files.sync()
    assert files.shop.waiting_files("outbound") == [name]  # not told twice while it lies there
    files.shop.take_in_adjustments()
    files.shop.clock.tick(minutes=1)
    files.shop.export()
    files.sync()
    assert (price_of("MUG"), TillPrice.objects.get().state) == (Decimal("5.50"), "applied")
    assert files.shop.till.item("MUG").price == Decimal("5.50")
    files.sync()
    assert files.shop.waiting_files("outbound") == []


def test_a_price_file_that_is_refused_is_told_and_not_taken_for_adjustments(files):
    files.edit("MUG", regular_price="5.50")
    files.sync()
    [name] = files.shop.waiting_files("outbound")
    (files.shop.folder / "outbound" / "rejected").mkdir()
    (files.shop.folder / "outbound" / name).rename(files.shop.folder / "outbound" / "rejected" / name)
    run = files.sync()
    assert TillPrice.objects.order_by("id").first().state == "rejected"
    assert ("MUG", None, "connector_error") in problems(run)
    assert files.shop.movements() == []


def test_an_item_that_the_shop_sells_at_two_prices_is_not_told_any(priced):
    listed = [product(100, "MUG", 10, regular_price="5"), product(101, "MUG-2", 10, regular_price="5.60")]
    till = priced(("MUG",), listed=listed, price_source="store", options={"till_mode": "live"})
    till.shop.align([("MUG", "MUG"), ("MUG", "MUG-2")])
    run = till.sync()
    assert not TillPrice.objects.exists()
    assert ("MUG", None, "prices_differ") in problems(run)


def test_a_shop_that_owns_prices_is_never_told_any(files):
    files.reprice(MUG="5.20")
    files.sync()
    assert files.sent() == {}
    assert TillPrice.objects.get().price_to == 5
