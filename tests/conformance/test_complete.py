"""No recording is forgotten: each is replayed, or listed with the reason why not."""

from tests.conformance import test_measures, test_orders, test_products, test_refusals, test_site, test_webhooks
from tests.conformance.differences import DIFFERENCES
from tests.conformance.recordings import RECORDINGS

REPLAYED = set().union(
    *(module.REPLAYS for module in (test_measures, test_orders, test_products, test_refusals, test_site, test_webhooks))
)


def test_every_recording_is_replayed_or_listed_as_a_difference():
    assert set(RECORDINGS) - REPLAYED - set(DIFFERENCES) == set()


def test_no_listed_recording_is_missing():
    assert (REPLAYED | set(DIFFERENCES)) - set(RECORDINGS) == set()


def test_nothing_is_both_replayed_and_excused():
    assert REPLAYED & set(DIFFERENCES) == set()


def test_every_difference_has_its_reason():
    assert all(len(reason) > 20 for reason in DIFFERENCES.values())
