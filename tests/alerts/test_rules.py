"""Each rule fires, does not fire at its limit, and resolves: in a database, through the very look that runs each minute."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alerts.models import Alert, Threshold
from alerts.rules.words import RULES, Code
from sync.models import PricePolicy, PriceReview
from tests import factories as make
from tests.alerts.cases import CASES, HOUR, MINUTE, SECOND, Shop

pytestmark = pytest.mark.django_db
each_rule = pytest.mark.parametrize("code", list(Code))


def test_every_rule_has_a_case_and_says_what_it_is():
    assert set(CASES) == set(Code) == set(RULES)


def test_a_shop_that_is_well_has_no_alerts(shop):
    for code in Code:
        assert shop.alerts(code) == []


@each_rule
def test_it_fires(shop, code):
    CASES[code].fires(shop)
    (title,) = shop.alerts(code)
    assert title.startswith(CASES[code].about)
    alert = Alert.objects.get(rule=code)
    assert (alert.state, alert.opened_at, alert.times_seen) == ("open", shop.now, 1)
    assert alert.severity == RULES[code].severity
    assert alert.words


@each_rule
def test_it_does_not_fire_at_its_limit(shop, code):
    CASES[code].at_limit(shop)
    assert shop.alerts(code) == []


@each_rule
def test_it_resolves_by_itself_when_its_cause_is_gone(shop, code):
    CASES[code].fires(shop)
    assert len(shop.alerts(code)) == 1
    CASES[code].mends(shop)
    later = shop.now + MINUTE
    assert shop.alerts(code, at=later) == []
    alert = Alert.objects.get(rule=code)
    assert (alert.state, alert.cause_gone_at, alert.resolved_by) == ("gone", later, None)


@pytest.mark.parametrize(("shows", "fires"), [("111", True), ("110", False), ("89", True), ("90", False)])
def test_a_share_counts_as_well_as_units(shop, shows, fires):
    Threshold.objects.create(discrepancy_units=50)
    shop.on_hand(100)
    shop.shows(shows)
    assert bool(shop.alerts(Code.DISCREPANCY)) is fires


def test_of_nothing_there_is_no_share(shop):
    shop.on_hand(0)
    shop.shows(10)
    assert shop.alerts(Code.DISCREPANCY) == []


def test_a_pair_that_still_moves_is_no_discrepancy(shop):
    shop.shows(0, "pending")
    shop.put(shop.pair.sync_state, last_pos_update=shop.now - HOUR)
    assert shop.alerts(Code.DISCREPANCY) == []
    assert shop.alerts(Code.DISCREPANCY, at=shop.now + SECOND) == ["Mug (MUG-1)"]


def test_what_the_buffer_holds_back_is_no_discrepancy(shop):
    shop.store.supply.update(buffer=15)
    shop.shows(5)
    assert shop.alerts(Code.DISCREPANCY) == []


def test_what_never_moved_is_not_told_of_when_it_is_sold_out(shop):
    shop.on_hand(0)
    assert shop.alerts(Code.OUT_OF_STOCK) == []


def test_what_is_promised_is_not_free_to_sell(shop):
    shop.moves()
    shop.on_hand(3, reserved=3)
    assert shop.alerts(Code.OUT_OF_STOCK) == ["Mug (MUG-1)"]


def test_all_places_together_are_what_is_left(shop):
    shop.moves()
    shop.on_hand(0)
    depot = make.Location.objects.create(connection=shop.till, remote_name="Depot", name="Depot")
    make.level(shop.item, 3, place=depot)
    assert shop.alerts(Code.OUT_OF_STOCK) == []


def test_prices_in_two_currencies_are_not_compared(shop):
    shop.put(shop.listing, price=Decimal(90))
    shop.put(shop.till, currency="EUR")
    shop.put(shop.store, currency="USD")
    assert shop.alerts(Code.PRICE_GAP) == []
    shop.put(shop.store, currency="EUR")
    assert shop.alerts(Code.PRICE_GAP) == ["Mug (MUG-1)"]


def test_a_price_of_nothing_is_always_a_gap(shop):
    shop.put(shop.item, price=Decimal(0))
    assert shop.alerts(Code.PRICE_GAP) == ["Mug (MUG-1)"]


def test_prices_that_somebody_owns_are_judged_by_their_rule_alone(shop):
    shop.put(shop.listing, price=Decimal(90))
    PricePolicy.objects.create(connection=shop.store, price_source="pos", till_includes_tax=True)
    assert shop.alerts(Code.PRICE_GAP) == []
    review = PriceReview.objects.create(
        store=shop.store, alignment=shop.pair, price_source="pos", currency="EUR", source_price=10, old_price=90, new_price=10,
        why="Down by 89 %.", detected_at=shop.now,
    )  # fmt: skip
    assert shop.alerts(Code.PRICE_GAP) == ["Mug (MUG-1)"]
    assert Alert.objects.get().words == "A change from 90 to 10 waits. Down by 89 %."
    shop.put(review, state="approved")
    assert shop.alerts(Code.PRICE_GAP) == []


def test_a_sale_without_an_alignment_is_told_of_its_own(shop):
    other = make.listing(shop.store, "NEW-1", name="Pot")
    shop.conflict("missing_alignment", alignment=None, listing=other, difference=None)
    assert sorted(shop.alerts(Code.MISSING_ALIGNMENT)) == ["Pot (NEW-1)", "shop"]


def test_a_store_that_nobody_has_begun_to_align_is_not_told_of(shop):
    shop.put(shop.pair, status="proposed")
    assert shop.alerts(Code.MISSING_ALIGNMENT) == []


def test_a_name_that_is_not_known_is_told_at_once_and_as_such(shop):
    shop.unhealthy(5, "dns")
    assert shop.alerts(Code.ADDRESS_TROUBLE) == ["shop"]
    assert shop.alerts(Code.API_UNAVAILABLE) == []


def test_dry_runs_and_stores_out_of_use_do_not_fail(shop):
    shop.run("failed", dry_run=True)
    assert shop.alerts(Code.SYNC_FAILED) == []
    shop.run("failed")
    shop.put(shop.store, is_active=False)
    assert shop.alerts(Code.SYNC_FAILED) == []


def test_failures_before_the_last_good_sync_do_not_count(shop):
    for minutes in (50, 40):
        shop.run("failed", minutes * MINUTE)
    shop.run("done", 30 * MINUTE)
    shop.run("failed", 20 * MINUTE)
    assert shop.alerts(Code.SYNC_FAILED) == ["shop"]
    assert shop.alerts(Code.SYNC_FAILED_AGAIN) == []


def test_a_held_file_is_told_of_once_with_its_run_and_alone_without_it(shop):
    held = shop.run("held")
    shop.till.feeds.update(state="held", run=held)
    assert len(shop.alerts(Code.HELD_RUN)) == 1
    shop.put(held, state="discarded")
    assert shop.alerts(Code.HELD_RUN) == ["a.csv of till"]


def test_a_till_by_api_need_not_drop_files(shop):
    shop.till.feeds.update(received_at=shop.now - timedelta(days=9))
    shop.put(shop.till, kind="rest_pos")
    assert shop.alerts(Code.TILL_FILE_LATE) == []


def test_a_till_that_never_dropped_a_file_is_missed_after_a_day(shop):
    shop.till.feeds.all().delete()
    shop.put(shop.till, created_at=shop.now - 25 * HOUR)
    assert shop.alerts(Code.TILL_FILE_LATE) == ["till"]


def test_jobs_that_no_worker_takes_are_told_of(shop):
    from jobs.models import JobSlot

    JobSlot.objects.create(job="Poll", slot=shop.now, task="x", state="queued", queued_at=shop.now - 16 * MINUTE)
    assert shop.alerts(Code.QUEUE_BACKING_UP) == ["Evenstock's workers"]


class TestLimitsNarrowDown:
    """Global → connection → category → product; the narrowest row that says something counts."""

    def low(self, shop: Shop) -> bool:
        shop.on_hand(7)
        return bool(shop.alerts(Code.LOW_STOCK))

    def test_a_product_goes_before_its_category(self, shop):
        Threshold.objects.create(category="Cups", low_stock_below=8)
        assert self.low(shop)
        Threshold.objects.create(item=shop.item, low_stock_below=7)
        assert not self.low(shop)

    def test_a_category_goes_before_a_connection_and_that_before_all(self, shop):
        Threshold.objects.create(low_stock_below=8)
        assert self.low(shop)
        Threshold.objects.create(connection=shop.till, low_stock_below=1)
        assert not self.low(shop)
        Threshold.objects.create(category="Cups", low_stock_below=8)
        assert self.low(shop)

    def test_what_a_row_leaves_empty_is_inherited(self, shop):
        Threshold.objects.create(low_stock_below=8)
        Threshold.objects.create(item=shop.item, price_percent=50)
        assert self.low(shop)

    def test_other_categories_and_products_are_not_touched(self, shop):
        Threshold.objects.create(category="Pots", low_stock_below=8)
        Threshold.objects.create(item=make.item(shop.till, "POT-1"), low_stock_below=8)
        assert not self.low(shop)

    def test_a_store_s_row_holds_for_its_pairs(self, shop):
        shop.put(shop.listing, price=Decimal(14))
        Threshold.objects.create(connection=shop.store, price_percent=50)
        assert shop.alerts(Code.PRICE_GAP) == []

    def test_nobody_is_told_where_it_is_switched_off(self, shop):
        shop.moves()
        shop.on_hand(0)
        Threshold.objects.create(category="Cups", out_of_stock=False)
        assert shop.alerts(Code.OUT_OF_STOCK) == []


def test_a_pack_that_is_off_counts_its_units(shop):
    shop.put(shop.pair, units_per_listing=6)
    shop.shows(3)
    assert shop.alerts(Code.DISCREPANCY) == []  # 20 mugs fill 3 packs of 6
    shop.shows(4)
    shop.put(shop.pair.sync_state, reason="Settle it.")
    assert shop.alerts(Code.DISCREPANCY) == ["Mug (MUG-1)"]
    assert Alert.objects.get(rule=Code.DISCREPANCY).words == (
        "The shop shows 24, it should show 18: 6 off, 33 %. These are the till's units; the shop counts packs of 6. Settle it."
    )


def test_a_packs_price_is_no_gap(shop):
    shop.put(shop.listing, price=Decimal(55))
    assert shop.alerts(Code.PRICE_GAP) == ["Mug (MUG-1)"]
    shop.put(shop.pair, units_per_listing=6)
    assert shop.alerts(Code.PRICE_GAP) == []
