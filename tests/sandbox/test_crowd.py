"""Shop life is repeatable, keeps to what is there, and comes at the rate asked for."""

from collections import Counter
from random import Random

import pytest

from sandbox.crowd import WEIGHTS, Crowd
from sandbox.till import Till


def stocked(n=40):
    till = Till()
    till.generate(n, seed=3)
    return till


class Waits:
    """Stands in for the stop event: notes how long was waited for, and ends after `n` times."""

    def __init__(self, n):
        self.n, self.waited = n, []

    def wait(self, seconds):
        self.waited.append(seconds)
        return len(self.waited) > self.n


def test_the_same_seed_does_the_same_to_the_same_shop():
    tills = stocked(), stocked()
    crowds = [Crowd(till, None, Random(7)) for till in tills]
    deeds = [[crowd.step() for _ in range(300)] for crowd in crowds]
    assert deeds[0] == deeds[1]
    assert [tills[0].on_hand(sku) for sku in tills[0].skus()] == [tills[1].on_hand(sku) for sku in tills[1].skus()]


def test_another_seed_does_something_else():
    assert [Crowd(stocked(), None, Random(1)).step() for _ in range(5)] != [
        Crowd(stocked(), None, Random(2)).step() for _ in range(5)
    ]


def test_customers_buy_at_the_till_only_what_is_there():
    till = stocked(5)
    crowd = Crowd(till, None, Random(1), weights={"till_sale": 10, "count": 1})
    for _ in range(2000):
        crowd.step()
    assert [happening for happening in till.happenings if happening.on_hand < 0] == []
    assert {till.on_hand(sku) for sku in till.skus()} == {0}
    assert crowd.step().done is False


def test_overselling_is_an_option():
    till = stocked(1)
    till.count("GEN-000001", 0)
    Crowd(till, None, Random(1), weights={"till_sale": 1}, oversell=True).step()
    assert till.on_hand("GEN-000001") < 0


def test_every_kind_of_deed_comes_up_about_as_often_as_it_weighs():
    till = stocked(200)
    crowd = Crowd(till, None, Random(1))
    seen = Counter(crowd.step().action for _ in range(5000))
    for action, weight in WEIGHTS.items():
        assert seen[action] / 5000 == pytest.approx(weight / sum(WEIGHTS.values()), abs=0.02), action


def test_without_a_store_nobody_orders_there():
    crowd = Crowd(stocked(), None, Random(1), weights={"web_order": 1, "web_cancel": 1, "web_refund": 1})
    assert [crowd.step().done for _ in range(20)] == [False] * 20


def test_deeds_come_at_the_rate_asked_for_at_random_intervals():
    waits, told = Waits(2000), []
    Crowd(stocked(), None, Random(1), rate=120, told=told.append).run(waits)
    assert len(told) == 2000
    assert sum(waits.waited) / len(waits.waited) == pytest.approx(0.5, rel=0.05)
    assert len(set(waits.waited)) > 1900


def test_at_rate_zero_nothing_happens():
    waits, told = Waits(10), []
    Crowd(stocked(), None, Random(1), rate=0, told=told.append).run(waits)
    assert (len(waits.waited), told) == (11, [])


def test_prices_move_within_ten_per_cent_and_keep_their_cents():
    till = stocked(20)
    before = {sku: till.item(sku).price for sku in till.skus()}
    assert Crowd(till, None, Random(1), weights={"reprice": 1}).step().done
    [sku] = [sku for sku in before if till.item(sku).price != before[sku]]
    price = till.item(sku).price
    assert price == price.quantize(before[sku])
    assert price / before[sku] == pytest.approx(1, abs=0.101)
