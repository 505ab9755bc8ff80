"""Matches that are certain enough to propose themselves."""

from decimal import Decimal

import pytest

from alignment.models import Alignment, Listing
from alignment.selectors import Coverage, coverage, items_without_partner, listings_without_partner, pairs_by_sku
from alignment.services.alignments import alignment_confirm, alignment_reject
from alignment.services.proposals import ProposalResult, proposals_refresh
from tests import factories

UPC, OTHER_UPC = "514975826515", "175345490165"


@pytest.fixture
def refresh(pos, store):
    return lambda: proposals_refresh(pos=pos, store=store)


def proposals() -> list[tuple[str, str, str, Decimal, str]]:
    pairs = Alignment.objects.filter(status="proposed").order_by("item__sku", "listing__sku")
    return list(pairs.values_list("item__sku", "listing__sku", "match_type", "confidence", "evidence"))


def test_same_sku_and_same_barcode_propose_themselves_with_their_reason(pos, store, refresh):
    factories.item(pos, "A-1")
    factories.item(pos, "B-1")
    factories.item(pos, "C", barcode=UPC)
    factories.item(pos, "D", barcode=f"{OTHER_UPC}.0")
    factories.item(pos, "E")
    factories.listing(store, "A-1")
    factories.listing(store, "b 1")
    factories.listing(store, "C-IN-THE-SHOP", barcode=f"0{UPC}")
    factories.listing(store, "D", barcode=OTHER_UPC)
    factories.listing(store, "F")
    assert refresh() == ProposalResult(created=4, changed=0, removed=0, unchanged=0)
    assert proposals() == [
        ("A-1", "A-1", "exact", Decimal(1), "same SKU"),
        ("B-1", "b 1", "exact", Decimal(1), "same SKU apart from spelling"),
        ("C", "C-IN-THE-SHOP", "barcode", Decimal("0.99"), "same barcode 0514975826515"),
        ("D", "D", "exact", Decimal(1), "same SKU, same barcode 0175345490165"),
    ]


def test_refreshing_again_changes_nothing(pos, store, refresh):
    factories.item(pos)
    factories.listing(store)
    refresh()
    assert refresh() == ProposalResult(created=0, changed=0, removed=0, unchanged=1)
    assert Alignment.history.count() == 1


@pytest.mark.parametrize("side", ["items", "listings"])
def test_what_is_not_unique_on_both_sides_proposes_nothing(pos, store, refresh, side):
    factories.item(pos, "MUG-A", barcode=UPC)
    factories.listing(store, "MUG-A", barcode=UPC)
    if side == "items":
        factories.item(pos, "MUG A", barcode=UPC)
    else:
        factories.listing(store, "MUG A", barcode=UPC)
    assert refresh().created == 0


def test_parents_of_variations_empty_skus_and_what_is_missing_propose_nothing(pos, store, refresh, now):
    factories.item(pos, "TEE")
    factories.listing(store, "TEE", kind="variable", stock_management=Listing.Management.NONE)
    factories.item(pos, "---")
    factories.listing(store, "")
    factories.item(pos, "GONE", missing_since=now)
    factories.listing(store, "GONE")
    factories.item(pos, "SOLD")
    factories.listing(store, "SOLD", missing_since=now)
    assert refresh().created == 0


def test_a_damaged_barcode_proposes_nothing(pos, store, refresh):
    factories.item(pos, "A", barcode="6.12E+11")
    factories.listing(store, "B", barcode="6.12E+11")
    assert refresh().created == 0


def test_where_sku_and_barcode_contradict_each_other_the_sku_is_proposed_with_a_warning(pos, store, refresh):
    factories.item(pos, "A", barcode=UPC)
    factories.listing(store, "A")
    factories.listing(store, "OTHER", barcode=UPC)
    refresh()
    assert proposals() == [("A", "A", "exact", Decimal("0.9"), "same SKU, but its barcode is on “OTHER”")]


def test_a_confirmed_partner_on_either_side_stops_a_proposal(pos, store, refresh):
    item, listing = factories.item(pos, "A", barcode=UPC), factories.listing(store, "X")
    factories.alignment(item, listing)
    factories.listing(store, "A")
    factories.item(pos, "X")
    assert refresh().created == 0


def test_a_pair_confirmed_in_another_store_still_proposes_itself_here(pos, store, refresh):
    item = factories.item(pos)
    factories.alignment(item, factories.listing(factories.store_connection("second-shop")))
    factories.listing(store)
    assert refresh().created == 1


def test_a_rejected_pair_is_never_proposed_again(pos, store, refresh):
    factories.item(pos)
    factories.listing(store)
    refresh()
    alignment_reject(alignments=Alignment.objects.all(), by=None, reason="no")
    assert refresh() == ProposalResult(created=0, changed=0, removed=0, unchanged=0)
    assert Alignment.objects.get().status == "rejected"


def test_a_proposal_whose_reason_is_gone_is_taken_back_with_history(pos, store, refresh):
    item = factories.item(pos)
    listing = factories.listing(store)
    refresh()
    listing.sku = listing.sku_key = "other"
    listing.save()
    assert refresh() == ProposalResult(created=0, changed=0, removed=1, unchanged=0)
    assert not Alignment.objects.exists()
    assert [entry.history_type for entry in Alignment.history.filter(item=item)] == ["-", "+"]


def test_a_proposal_whose_reason_changed_is_changed(pos, store, refresh):
    factories.item(pos, "A", barcode=UPC)
    listing = factories.listing(store, "B", barcode=UPC)
    refresh()
    listing.sku = "A"
    listing.sku_key = "a"
    listing.save()
    assert refresh() == ProposalResult(created=0, changed=1, removed=0, unchanged=0)
    assert proposals() == [("A", "A", "exact", Decimal(1), "same SKU, same barcode 0514975826515")]


def test_any_automatic_proposal_goes_once_one_of_its_sides_is_confirmed_but_one_by_hand_stays(pos, store, refresh):
    one, two, three = (factories.item(pos, sku) for sku in ("A", "B", "C"))
    listing = factories.listing(store, "X")
    factories.alignment(one, listing)
    factories.alignment(two, listing, status="proposed", match_type="fuzzy")
    factories.alignment(three, listing, status="proposed", match_type="manual")
    assert refresh() == ProposalResult(created=0, changed=0, removed=1, unchanged=0)
    assert proposals() == [("C", "X", "manual", Decimal(1), "")]


def test_other_tills_and_stores_are_left_alone(pos, store, refresh):
    other_pos, other_store = factories.pos_connection("second-till"), factories.store_connection("second-shop")
    factories.alignment(factories.item(other_pos, "A"), factories.listing(other_store, "B"), status="proposed")
    assert refresh() == ProposalResult(created=0, changed=0, removed=0, unchanged=0)
    assert Alignment.objects.count() == 1


def test_real_shop_proposes_only_true_pairs(hydro_catalogues, refresh, hydro):
    import csv
    from pathlib import Path

    from django.conf import settings

    assert refresh() == ProposalResult(created=1414, changed=0, removed=0, unchanged=0)
    with Path(settings.BASE_DIR, "tests", "data", "hydro", "alignment_truth.csv").open(newline="") as file:
        truth = {(row["POS SKU"], row["WooCommerce SKU"]) for row in csv.DictReader(file)}
    assert [pair[:2] for pair in proposals() if pair[:2] not in truth] == []


def test_thousands_on_each_side_take_few_statements(pos, store, refresh, django_assert_max_num_queries):
    factories.items(pos, [(f"SKU-{n}", "", "") for n in range(3000)])
    factories.listings(
        store,
        [
            {"id": n + 1, "parent_id": 0, "type": "simple", "sku": f"sku {n}", "name": "", "global_unique_id": "",
             "status": "publish", "manage_stock": True}
            for n in range(3000)
        ],
    )  # fmt: skip
    with django_assert_max_num_queries(80):
        assert refresh().created == 3000
    with django_assert_max_num_queries(6):
        assert refresh().unchanged == 3000


def test_figures_count_what_is_there_and_could_have_a_partner(pos, store, now):
    one, two = factories.item(pos, "A"), factories.item(pos, "B")
    factories.item(pos, "GONE", missing_since=now)
    first = factories.listing(store, "A")
    factories.listing(store, "B")
    factories.listing(store, "PARENT", kind="variable", stock_management=Listing.Management.NONE)
    factories.alignment(one, first)
    factories.alignment(two, first, status="proposed")
    figures = coverage(pos=pos, store=store)
    assert figures == Coverage(items=2, items_confirmed=1, listings=2, listings_confirmed=1, proposed=1)
    assert figures.share == Decimal("0.5")
    assert coverage(pos=store, store=pos).share is None
    assert [str(item) for item in items_without_partner(pos=pos, store=store)] == ["B"]
    assert [str(listing) for listing in listings_without_partner(store=store)] == ["B"]
    elsewhere = factories.store_connection("second-shop")
    assert [str(item) for item in items_without_partner(store=elsewhere)] == ["A", "B"]


def test_a_lookup_takes_the_exact_sku_before_other_spellings_and_confirmed_pairs_first(pos, store):
    exact, spelt = factories.item(pos, "A-1"), factories.item(pos, "a1")
    first, second = factories.listing(store, "X"), factories.listing(store, "Y")
    proposed = factories.alignment(exact, first, status="proposed")
    confirmed = factories.alignment(exact, second)
    factories.alignment(spelt, first)
    assert pairs_by_sku(sku="A-1") == [confirmed, proposed]
    assert len(pairs_by_sku(sku="a 1")) == 3
    assert pairs_by_sku(sku="Y", store=store) == [confirmed]
    assert pairs_by_sku(sku="Y", store=factories.store_connection("second-shop")) == []
    assert alignment_confirm(alignments=[proposed], by=None, reason="x").changed == 0
