"""A listing that stands for several units has no price rule of its own: what a pack costs is no sum of the single's."""

import pytest

from alignment.models import Alignment
from inventory.models import Item, Listing
from sync.models import PriceReview
from tests.sync.shop import product

pytestmark = pytest.mark.django_db
LISTED = [product(100, "MUG", 10, regular_price="5"), product(101, "MUG-6", 1, regular_price="27")]


def packed():
    """MUG-6 is aligned as a pack of 6 mugs."""
    item, listing = Item.objects.get(sku="MUG"), Listing.objects.get(sku="MUG-6")
    Alignment.objects.create(
        item=item, listing=listing, match_type="manual", confidence=1, status="confirmed", units_per_listing=6
    )


def test_the_tills_price_goes_to_the_single_and_the_pack_keeps_its_own(priced):
    till = priced(("MUG",), listed=LISTED)
    packed()
    till.reprice(MUG="5.50")
    run = till.sync()
    assert till.sent() == {"MUG": ["5.50"]}
    assert till.shown() == {"MUG": "5.50", "MUG-6": "27"}
    assert (run.counts["prices_of_packs"], run.counts["prices_written"]) == (1, 1)
    assert "1 pack of several units keeps its own price." in run.message
    assert not PriceReview.objects.exists()


def test_a_packs_price_is_not_told_to_the_till_and_does_not_contradict_the_singles(priced):
    till = priced(("MUG",), listed=LISTED, price_source="store", options={"till_mode": "live"})
    packed()
    till.edit("MUG", regular_price="5.50")
    till.edit("MUG-6", regular_price="30")
    run = till.sync()
    assert "prices_differ" not in {problem.code for problem in run.problems.all()}
    assert run.counts["till_prices_sent"] == 1
    assert not PriceReview.objects.exists()


def test_a_change_that_waited_goes_when_the_product_becomes_a_pack(priced):
    till = priced(("MUG",), listed=LISTED)
    till.reprice(MUG="9")
    till.sync()
    assert PriceReview.objects.get().state == "open"
    Alignment.objects.update(units_per_listing=6)
    till.sync()
    review = PriceReview.objects.get()
    assert (review.state, "several units" in review.reason) == ("gone", True)
    assert till.sent() == {}
