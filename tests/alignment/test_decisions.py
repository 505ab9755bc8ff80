"""Confirming and rejecting pairs."""

from decimal import Decimal

import pytest

from alignment.models import Alignment, Listing
from alignment.services.alignments import alignment_confirm, alignment_reject
from tests import factories


@pytest.fixture
def anna(db):
    return factories.person("anna")


def test_confirming_is_noted_with_who_and_why_and_opens_the_account_anew(pos, store, anna, now):
    listing = factories.listing(store, baseline=Decimal(3), opened_at=now, suspect=Decimal(1), suspected_at=now)
    pair = factories.alignment(factories.item(pos), listing, status="proposed")
    result = alignment_confirm(alignments=[pair], by=anna, reason="looked at both")
    assert (result.changed, result.unchanged, result.refused) == (1, 0, [])
    pair.refresh_from_db()
    listing.refresh_from_db()
    assert pair.status == "confirmed"
    assert (listing.baseline, listing.opened_at, listing.suspect, listing.suspected_at) == (None, None, None, None)
    entry = pair.history.first()
    assert (entry.history_user, entry.history_change_reason, entry.status) == (anna, "looked at both", "confirmed")


def test_confirming_again_changes_nothing(pos, store, anna, now):
    listing = factories.listing(store, baseline=Decimal(3), opened_at=now)
    pair = factories.alignment(factories.item(pos), listing)
    result = alignment_confirm(alignments=Alignment.objects.all(), by=anna, reason="again")
    assert (result.changed, result.unchanged, result.refused) == (0, 1, [])
    listing.refresh_from_db()
    assert listing.baseline == 3
    assert pair.history.count() == 1


def test_a_pair_whose_partner_is_taken_is_refused_and_the_others_are_confirmed(pos, store, anna):
    one, two, three = (factories.item(pos, sku) for sku in "ABC")
    first, second, third = (factories.listing(store, sku) for sku in "XYZ")
    factories.alignment(one, first)
    listing_taken = factories.alignment(two, first, status="proposed")
    item_taken = factories.alignment(one, second, status="proposed")
    free = factories.alignment(three, third, status="proposed")
    result = alignment_confirm(alignments=[listing_taken, item_taken, free], by=anna, reason="all")
    assert result.changed == 1
    assert [(refusal.alignment, refusal.message) for refusal in result.refused] == [
        (listing_taken, "X is confirmed as item “A”."),
        (item_taken, "A is confirmed as listing “X”."),
    ]
    assert set(Alignment.objects.filter(status="confirmed").values_list("item__sku", "listing__sku")) == {("A", "X"), ("C", "Z")}


def test_of_two_selected_pairs_that_exclude_each_other_neither_is_confirmed(pos, store, anna):
    listing = factories.listing(store)
    pairs = [factories.alignment(factories.item(pos, sku), listing, status="proposed") for sku in "AB"]
    result = alignment_confirm(alignments=pairs, by=anna, reason="both")
    assert result.changed == 0
    assert [refusal.alignment for refusal in result.refused] == pairs


@pytest.mark.parametrize("flaw", ["missing", "parent"])
def test_a_listing_that_cannot_be_stocked_is_refused(pos, store, anna, now, flaw):
    fields = {"missing_since": now} if flaw == "missing" else {"kind": "variable", "stock_management": Listing.Management.NONE}
    pair = factories.alignment(factories.item(pos), factories.listing(store, **fields), status="proposed")
    result = alignment_confirm(alignments=[pair], by=anna, reason="x")
    assert [refusal.alignment for refusal in result.refused] == [pair]
    pair.refresh_from_db()
    assert pair.status == "proposed"


def test_a_rejected_pair_frees_its_listing(pos, store, anna):
    listing = factories.listing(store)
    wrong = factories.alignment(factories.item(pos, "A"), listing)
    right = factories.alignment(factories.item(pos, "B"), listing, status="proposed")
    assert alignment_reject(alignments=[wrong], by=anna, reason="other size").changed == 1
    assert alignment_confirm(alignments=[right], by=anna, reason="this one").changed == 1
    wrong.refresh_from_db()
    assert (wrong.status, wrong.history.first().history_change_reason) == ("rejected", "other size")


def test_rejecting_again_writes_no_history(pos, store, anna):
    pair = factories.alignment(factories.item(pos), factories.listing(store), status="rejected")
    result = alignment_reject(alignments=[pair], by=anna, reason="again")
    assert (result.changed, result.unchanged) == (0, 1)
    assert pair.history.count() == 1
