"""What must be known before a price is written, and what else goes with prices: barcodes and costs."""

import pytest
from django.core.exceptions import ValidationError

from inventory.models import Item, Listing
from sync.core.prices import Rounding
from sync.models import PricePolicy, TillFeed
from tests.sync.shop import problems, product

pytestmark = pytest.mark.django_db
GTIN, OTHER = "4006381333931", "036000291452"


def message(till) -> str:
    run = till.sync()
    assert run.state == "failed"
    assert till.shop.app.writes == []
    return run.message


def taxed(till, *, included: str) -> None:
    till.shop.app.site.set("general", "woocommerce_calc_taxes", "yes")
    till.shop.app.site.set("tax", "woocommerce_prices_include_tax", included)


def test_a_shop_in_another_currency_than_known_is_not_written_to(priced):
    till = priced()
    till.reprice(MUG="5.50")
    till.shop.app.site.set("general", "woocommerce_currency", "SEK")
    assert "in SEK by now, not in EUR" in message(till)


def test_a_till_in_another_currency_is_not_believed(priced):
    till = priced()
    till.shop.pos.currency = "USD"
    till.shop.pos.save()
    assert "The till “till” has prices in USD, the shop in EUR" in message(till)


def test_the_mark_in_the_tills_file_must_fit_the_currency(priced):
    till = priced()
    feed = TillFeed.objects.get()
    feed.figures["currencies"] = ["$"]
    feed.save()
    assert "writes “$” beside its prices" in message(till)


def test_tax_on_one_side_only_needs_a_rate(priced):
    till = priced()
    taxed(till, included="no")
    assert "nobody has said the rate" in message(till)
    PricePolicy.objects.update(tax_percent=25)
    till.edit("MUG", regular_price="4.10")
    till.edit("CUP", regular_price="4")
    till.edit("POT", regular_price="4")
    till.sync()
    assert till.sent() == {"MUG": ["4.00"]}


def test_a_rule_that_contradicts_the_shops_own_settings_is_not_followed(priced):
    till = priced(store_includes_tax=True)
    taxed(till, included="no")
    assert "entered without tax; the rule says otherwise" in message(till)


def test_a_shop_that_adds_no_tax_shows_what_the_till_shows(priced):
    till = priced(till_includes_tax=False)
    till.reprice(MUG="5.50")
    till.sync()
    assert till.sent() == {"MUG": ["5.50"]}


def test_endings_need_two_decimals(priced):
    till = priced(currency="JPY", decimals="0", rounding="end_99")
    assert "can't end as the rule says" in message(till)


def test_the_rule_offers_every_rounding_there_is():
    assert set(PricePolicy.Round.values) == set(Rounding)


def test_a_rule_can_not_be_saved_half(db):
    for fields in (
        {"price_source": "pos"},
        {"price_source": "pos", "till_includes_tax": True, "store_includes_tax": False},
        {"price_source": "store", "till_includes_tax": True, "rounding": "end_99"},
    ):
        with pytest.raises(ValidationError):
            PricePolicy(**fields).clean()
    PricePolicy(price_source="none").clean()


def test_valid_barcodes_fill_gaps_and_overwrite_nothing(priced):
    listed = [
        product(100, "MUG", 10, regular_price="5"),
        product(101, "CUP", 10, regular_price="5", global_unique_id=OTHER),
        product(102, "POT", 10, regular_price="5"),
    ]
    till = priced(listed=listed, push_barcodes=True)
    Item.objects.filter(sku__in=["MUG", "CUP"]).update(barcode=GTIN)
    Item.objects.filter(sku="POT").update(barcode="4006381333932")  # a wrong check digit
    run = till.sync()
    assert till.sent("global_unique_id") == {"MUG": [GTIN]}
    assert till.sent() == {}
    assert till.shown("global_unique_id") == {"MUG": GTIN, "CUP": OTHER, "POT": ""}
    assert problems(run) == [("CUP", None, "other_barcode")]
    assert Listing.objects.get(sku="MUG").barcode == GTIN
    till.shop.app.forget_requests()
    till.sync()
    assert till.shop.app.writes == []


def test_one_barcode_is_not_given_to_two_products(priced):
    till = priced(push_barcodes=True, price_source="none", till_includes_tax=None)
    Item.objects.filter(sku__in=["MUG", "CUP"]).update(barcode=GTIN)
    run = till.sync()
    assert sum(map(len, till.sent("global_unique_id").values())) == 1
    assert [code for _, _, code in problems(run)] == ["barcode_taken"]


def test_costs_are_filled_in_where_the_shop_keeps_them(priced):
    till = priced(push_costs=True)
    run = till.sync()
    assert till.shop.app.writes == []
    assert [code for _, _, code in problems(run)] == ["no_costs"]
    till.shop.app.catalogue.cost_enabled = True
    run = till.sync()
    assert run.counts["costs_written"] == 3
    assert till.shown("cost") == {"MUG": 2, "CUP": 2, "POT": 2}
    till.shop.app.forget_requests()
    till.sync()
    assert till.shop.app.writes == []
    assert Listing.objects.get(sku="MUG").cost == 2
