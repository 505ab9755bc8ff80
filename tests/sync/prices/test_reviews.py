"""Price changes that wait for a person: approved ones are written once, rejected ones are not asked about again."""

from decimal import Decimal

import pytest

from connectors.errors import ConfigError
from inventory.models import Item
from sync.models import PriceReview
from sync.prices.reviews import review_decide
from tests import factories as make
from tests.sync.shop import INCREMENTAL

pytestmark = pytest.mark.django_db


@pytest.fixture
def jumped(priced):
    """The till asks 9 for a mug instead of 5."""
    till = priced()
    till.reprice(MUG="9")
    till.sync()
    till.shop.app.forget_requests()
    return till


def decide(till, *, approve: bool, reason: str = "checked", by=None) -> PriceReview:
    return review_decide(review=PriceReview.objects.get(), approve=approve, by=by, reason=reason, now=till.shop.clock.now())


def test_an_approved_price_is_written_by_the_next_run_of_any_kind(jumped):
    decide(jumped, approve=True, by=make.person("ann"))
    jumped.shop.clock.tick(minutes=1)
    run = jumped.shop.sync(INCREMENTAL)
    assert run.state == "done"
    assert jumped.sent() == {"MUG": ["9.00"]}
    assert jumped.shown()["MUG"] == "9.00"
    assert jumped.logged("manual") == [("MUG", "5", "9", "Approved by ann: checked")]
    review = PriceReview.objects.get()
    assert review.state == "written"
    assert list(review.history.order_by("history_id").values_list("state", flat=True)) == ["open", "approved", "written"]
    jumped.shop.app.forget_requests()
    jumped.sync()
    jumped.shop.sync(INCREMENTAL)
    assert jumped.shop.app.writes == []


def test_a_rejected_price_is_not_asked_about_until_the_till_changes_it(jumped):
    decide(jumped, approve=False)
    run = jumped.sync()
    assert (run.counts["prices_rejected"], run.counts.get("price_reviews", 0)) == (1, 0)
    jumped.edit("MUG", regular_price="8.50")  # within the band now, but a person has said no
    jumped.sync()
    assert jumped.sent() == {}
    assert PriceReview.objects.count() == 1
    jumped.reprice(MUG="12")
    jumped.sync()
    assert PriceReview.objects.filter(state="open").count() == 1


def test_figures_that_changed_meanwhile_are_not_approved(jumped):
    Item.objects.filter(sku="MUG").update(price=Decimal("9.50"))
    with pytest.raises(ConfigError, match=r"The till's price is 9\.50 by now, it was 9\."):
        decide(jumped, approve=True)
    assert PriceReview.objects.get().state == "open"


def test_an_approved_price_whose_figures_change_before_it_is_written_is_asked_again(jumped):
    decide(jumped, approve=True)
    jumped.edit("MUG", regular_price="6")
    jumped.shop.clock.tick(minutes=1)
    jumped.shop.sync(INCREMENTAL)
    assert jumped.sent() == {}
    review = PriceReview.objects.get()
    assert (review.state, review.old_price, review.reason) == ("open", 6, "It was approved on other figures.")


def test_a_question_follows_its_figures_and_goes_when_both_sides_agree(jumped):
    jumped.reprice(MUG="10")
    jumped.sync()
    review = PriceReview.objects.get()
    assert (review.new_price, review.change_percent) == (10, 100)
    jumped.edit("MUG", regular_price="10")
    jumped.sync()
    review.refresh_from_db()
    assert (review.state, review.reason) == ("gone", "Both sides show it by now.")


def test_a_question_goes_when_the_change_is_within_the_rule_by_now(jumped):
    jumped.reprice(MUG="5.10")
    jumped.sync()
    assert PriceReview.objects.get().state == "gone"
    assert jumped.sent() == {"MUG": ["5.10"]}


def test_nothing_is_decided_twice_or_without_a_reason(jumped):
    with pytest.raises(ConfigError, match="why"):
        decide(jumped, approve=True, reason=" ")
    decide(jumped, approve=False)
    with pytest.raises(ConfigError, match="decided already: Rejected"):
        decide(jumped, approve=True)


def test_an_approved_price_that_the_shop_refuses_is_asked_again(jumped, monkeypatch):
    decide(jumped, approve=True)
    monkeypatch.setattr("sandbox.woocommerce.writes.price_text", lambda _given: "7")
    jumped.shop.clock.tick(minutes=1)
    jumped.shop.sync(INCREMENTAL)
    review = PriceReview.objects.get()
    assert (review.state, review.reason) == ("open", "It was refused: The shop shows another price.")
    jumped.shop.sync(INCREMENTAL)
    assert jumped.sent() == {"MUG": ["9.00"]}


def test_in_observe_mode_an_approved_price_stays_approved(jumped):
    decide(jumped, approve=True)
    jumped.shop.store.mode = "observe"
    jumped.shop.store.save()
    jumped.shop.clock.tick(minutes=1)
    jumped.shop.sync(INCREMENTAL)
    assert jumped.shop.app.writes == []
    assert PriceReview.objects.get().state == "approved"
