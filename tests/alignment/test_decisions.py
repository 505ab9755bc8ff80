"""Confirming and rejecting pairs."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from alignment.errors import AlignmentChangedError
from alignment.models import Alignment
from alignment.services.alignments import alignment_confirm, alignment_make, alignment_reject, alignment_units_set
from inventory.models import Listing
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


def test_an_item_stands_beside_its_packs_in_one_store_and_not_twice_in_one_size(pos, store, anna):
    item = factories.item(pos, "A")
    factories.alignment(item, factories.listing(store, "A"))
    six = alignment_make(item=item, listing=factories.listing(store, "A-6"), units=6, evidence="", by=anna, reason="x")
    assert (six.status, six.units_per_listing, six.history.get().units_per_listing) == ("confirmed", 6, 6)
    for units, other in ((6, "A-6” in packs of 6"), (1, "A”")):
        another = factories.listing(store, f"X{units}")
        with pytest.raises(AlignmentChangedError, match=other):
            alignment_make(item=item, listing=another, units=units, evidence="", by=anna, reason="x")
    four = factories.alignment(item, factories.listing(store, "A-4"), status="proposed", units_per_listing=4)
    assert alignment_confirm(alignments=[four], by=anna, reason="x").changed == 1


def test_of_two_selected_packs_of_one_size_neither_is_confirmed(pos, store, anna):
    item = factories.item(pos)
    pairs = [
        factories.alignment(item, factories.listing(store, sku), status="proposed", units_per_listing=units)
        for sku, units in (("X", 6), ("Y", 6), ("Z", 4))
    ]
    result = alignment_confirm(alignments=pairs, by=anna, reason="all")
    assert result.changed == 1
    assert [refusal.alignment for refusal in result.refused] == pairs[:2]


def test_another_pack_size_is_noted_and_the_number_read_anew_while_orders_go_on(pos, store, anna, now):
    listing = factories.listing(store, baseline=Decimal(3), opened_at=now, suspect=Decimal(1), suspected_at=now)
    pair = factories.alignment(factories.item(pos), listing, units_per_listing=6)
    assert alignment_units_set(alignment=pair, units=4, by=anna, reason="smaller box").units_per_listing == 4
    listing.refresh_from_db()
    assert (listing.baseline, listing.suspect, listing.suspected_at, listing.opened_at) == (None, None, None, now)
    entry = pair.history.first()
    assert (entry.history_user, entry.history_change_reason, entry.units_per_listing) == (anna, "smaller box", 4)


def test_the_same_pack_size_again_changes_nothing(pos, store, anna, now):
    listing = factories.listing(store, baseline=Decimal(3), opened_at=now)
    pair = factories.alignment(factories.item(pos), listing, units_per_listing=6)
    alignment_units_set(alignment=pair, units=6, by=anna, reason="again")
    listing.refresh_from_db()
    assert (listing.baseline, pair.history.count()) == (3, 1)


@pytest.mark.parametrize("flaw", ["none", "too many", "no reason", "rejected", "taken"])
def test_a_pack_size_that_cannot_be_is_refused_and_changes_nothing(pos, store, anna, now, flaw):
    item, listing = factories.item(pos), factories.listing(store, baseline=Decimal(3), opened_at=now)
    pair = factories.alignment(item, listing, status="rejected" if flaw == "rejected" else "confirmed")
    if flaw == "taken":
        factories.alignment(item, factories.listing(store, "SIX"), units_per_listing=6)
    units = {"none": 0, "too many": 100_001}.get(flaw, 6)
    with pytest.raises(AlignmentChangedError):
        alignment_units_set(alignment=pair, units=units, by=anna, reason=" " if flaw == "no reason" else "x")
    pair.refresh_from_db()
    listing.refresh_from_db()
    assert (pair.units_per_listing, pair.history.count(), listing.baseline) == (1, 1, 3)


@pytest.mark.parametrize("units", [0, 100_001])
def test_the_database_keeps_no_other_pack_size(pos, store, units):
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.alignment(factories.item(pos), factories.listing(store), units_per_listing=units)
