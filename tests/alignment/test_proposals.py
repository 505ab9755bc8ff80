"""Matches that are certain enough to propose themselves."""

from decimal import Decimal

import pytest

from alignment.models import Alignment, MatchingPolicy
from alignment.review.proposals import ProposalResult, proposals_refresh
from alignment.selectors import Coverage, coverage, items_without_partner, listings_without_partner, pairs_by_sku
from alignment.services.alignments import alignment_confirm, alignment_reject
from alignment.services.policies import confirm_threshold, matching_policy_set, thresholds_offered
from connectors.errors import ConfigError
from inventory.models import Listing
from tests import factories

UPC, OTHER_UPC = "514975826515", "175345490165"


@pytest.fixture
def refresh(pos, store):
    return lambda: proposals_refresh(pos=pos, store=store)


def proposals() -> list[tuple[str, str, str, Decimal, str]]:
    pairs = Alignment.objects.filter(status="proposed").order_by("item__sku", "listing__sku")
    return list(pairs.values_list("item__sku", "listing__sku", "match_type", "confidence", "evidence"))


def test_same_sku_and_same_barcode_propose_themselves_with_their_reason(pos, store, refresh):
    factories.item(pos, "MUG-A-1")
    factories.item(pos, "MUG-B-1")
    factories.item(pos, "CUP", barcode=UPC)
    factories.item(pos, "DISH", barcode=f"{OTHER_UPC}.0")
    factories.item(pos, "EGG")
    factories.listing(store, "MUG-A-1")
    factories.listing(store, "mug b 1")
    factories.listing(store, "SOLD-IN-THE-SHOP", barcode=f"0{UPC}")
    factories.listing(store, "DISH", barcode=OTHER_UPC)
    factories.listing(store, "FROG")
    assert refresh() == ProposalResult(created=4, changed=0, removed=0, unchanged=0)
    assert [(item, listing, kind, evidence) for item, listing, kind, _, evidence in proposals()] == [
        ("CUP", "SOLD-IN-THE-SHOP", "barcode", "same barcode 0514975826515"),
        ("DISH", "DISH", "exact", "same barcode 0175345490165; same SKU"),
        ("MUG-A-1", "MUG-A-1", "exact", "same SKU"),
        ("MUG-B-1", "mug b 1", "exact", "same SKU apart from spelling"),
    ]
    assert min(confidence for _, _, _, confidence, _ in proposals()) > Decimal("0.95")


def test_refreshing_again_changes_nothing(pos, store, refresh):
    factories.item(pos)
    factories.listing(store)
    refresh()
    assert refresh() == ProposalResult(created=0, changed=0, removed=0, unchanged=1)
    assert Alignment.history.count() == 1


@pytest.mark.parametrize("side", ["items", "listings"])
def test_what_is_not_unique_on_both_sides_waits_for_a_person(pos, store, refresh, side):
    matching_policy_set(store=store, confirm_from=Decimal("0.5"), by=None)
    factories.item(pos, "MUG-A", barcode=UPC)
    factories.listing(store, "MUG-A", barcode=UPC)
    if side == "items":
        factories.item(pos, "MUG A", barcode=UPC)
    else:
        factories.listing(store, "MUG A", barcode=UPC)
    assert refresh().confirmed == 0
    assert not Alignment.objects.filter(is_doubted=False).exists()


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


def test_where_sku_and_barcode_contradict_each_other_the_pair_is_doubted(pos, store, refresh):
    matching_policy_set(store=store, confirm_from=Decimal("0.5"), by=None)
    factories.item(pos, "MUG-A", barcode=UPC)
    factories.listing(store, "MUG-A")
    factories.listing(store, "OTHER", barcode=UPC)
    assert refresh().confirmed == 0
    [(_, _, _, confidence, evidence)] = proposals()
    assert (
        "check: the SKU of one is on something else" in evidence or "check: the barcode of one is on something else" in evidence
    )
    assert confidence <= Decimal("0.9")


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
    listing.save(update_fields=["sku", "sku_key"])
    assert refresh() == ProposalResult(created=0, changed=0, removed=1, unchanged=0)
    assert not Alignment.objects.exists()
    assert [entry.history_type for entry in Alignment.history.filter(item=item)] == ["-", "+"]


def test_a_proposal_whose_reason_changed_is_changed(pos, store, refresh):
    factories.item(pos, "MUG-A", barcode=UPC)
    listing = factories.listing(store, "B", barcode=UPC)
    refresh()
    listing.sku = "MUG-A"
    listing.sku_key = "muga"
    listing.save(update_fields=["sku", "sku_key"])
    assert refresh() == ProposalResult(created=0, changed=1, removed=0, unchanged=0)
    [(_, sku, kind, _, evidence)] = proposals()
    assert (sku, kind, evidence) == ("MUG-A", "exact", "same barcode 0514975826515; same SKU")


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


def test_a_threshold_lets_sure_pairs_confirm_themselves_with_a_reason_and_leaves_the_rest(pos, store, refresh):
    factories.item(pos, "MUG-A-1", name="Mug blue")
    factories.item(pos, "77", name="Cup red")
    factories.listing(store, "MUG-A-1", name="Mug blue")
    factories.listing(store, "CUP-R", name="Cup red matt", price=Decimal(3))
    assert refresh().confirmed == 0
    matching_policy_set(store=store, confirm_from=Decimal("0.99"), by=None)
    assert refresh().confirmed == 1
    pair = Alignment.objects.get(status="confirmed")
    assert pair.item.sku == "MUG-A-1"
    assert pair.history.first().history_change_reason == "confirmed itself: confidence of 0.99 or more"
    assert refresh().confirmed == 0
    assert Alignment.objects.filter(status="proposed").count() == 1


def test_a_rejected_pair_does_not_confirm_itself_and_its_item_may_find_another(pos, store, refresh):
    matching_policy_set(store=store, confirm_from=Decimal("0.5"), by=None)
    item = factories.item(pos, "MUG-A-1", name="Mug blue", barcode=UPC)
    wrong = factories.listing(store, "MUG-A-1", name="Mug blue")
    factories.alignment(item, wrong, status="rejected")
    right = factories.listing(store, "X", name="Mug blue", barcode=UPC)
    refresh()
    assert Alignment.objects.get(item=item, listing=wrong).status == "rejected"
    assert set(Alignment.objects.filter(item=item).values_list("listing_id", flat=True)) == {wrong.pk, right.pk}


def test_a_variation_is_found_by_its_parents_name_and_a_different_size_never(pos, store, refresh):
    factories.item(pos, "1001", name="BIG BUD 1L", vendor="Acme")
    factories.item(pos, "1002", name="BIG BUD 10L", vendor="Acme")
    factories.listing(store, "", kind="variable", stock_management="none", name="Acme Big Bud", remote_id=9)
    factories.listing(store, "AC-1", kind="variation", parent_remote_id=9, name="1 litre")
    factories.listing(store, "AC-5", kind="variation", parent_remote_id=9, name="5 litre")
    refresh()
    assert [(item, listing) for item, listing, *_ in proposals()] == [("1001", "AC-1")]


def test_a_proposal_that_is_not_sure_keeps_the_next_best_listings(pos, store, refresh):
    factories.item(pos, "1001", name="Oat cookies raisin", vendor="Acme")
    listings = [factories.listing(store, sku, name="Acme oat cookies raisin") for sku in ("AC-1", "AC-2")]
    refresh()
    pair = Alignment.objects.get()
    assert {pair.listing_id, *(other["listing"] for other in pair.others)} == {listing.pk for listing in listings}
    assert pair.is_doubted
    assert "fits as well" in pair.evidence


def test_a_listing_of_another_till_is_left_to_it(pos, store, refresh):
    other_pos = factories.pos_connection("second-till")
    listing = factories.listing(store, "MUG-A-1")
    factories.alignment(factories.item(other_pos, "MUG-A-1"), listing)
    factories.item(pos, "MUG-A-1")
    assert refresh().created == 0


def test_what_is_confirmed_with_something_gone_or_as_a_further_pack_is_not_proposed_to_others(pos, store, refresh, now):
    single = factories.item(pos, "COLA-330", name="Cola classic 330ml")
    factories.alignment(single, factories.listing(store, "COLA-330", name="Cola classic 330ml"))
    factories.alignment(single, factories.listing(store, "COLA-6X330", name="Cola classic 6 x 330ml"), units_per_listing=6)
    factories.item(pos, "COLA-6X330", name="Cola classic 6 x 330ml")
    gone = factories.item(pos, "MUG-OLD", name="Mug blue", missing_since=now)
    factories.alignment(gone, factories.listing(store, "MUG-BLUE", name="Mug blue"))
    factories.item(pos, "MUG-BLUE", name="Mug blue")
    tea = factories.item(pos, "TEA-20PK", name="Green tea 20pk")
    factories.alignment(tea, factories.listing(store, "TEA-GONE", name="Green tea 20pk", missing_since=now))
    factories.listing(store, "TEA-20PK", name="Green tea 20pk")
    assert refresh() == ProposalResult(created=0, changed=0, removed=0, unchanged=0)


def test_thresholds_are_offered_with_their_pairs_and_expected_error_and_never_count_doubted_ones(pos, store):
    for number, (confidence, doubted) in enumerate([("0.99", False), ("0.95", False), ("0.9", True), ("0.6", False)]):
        factories.alignment(
            factories.item(pos, f"A{number}"), factories.listing(store, f"B{number}"), status="proposed", match_type="fuzzy",
            confidence=Decimal(confidence), is_doubted=doubted,
        )  # fmt: skip
    offers = thresholds_offered(pos=pos, store=store, thresholds=[Decimal("0.5"), Decimal("0.9"), Decimal("0.995")])
    assert [(offer.pairs, offer.expected_error and round(offer.expected_error, 4)) for offer in offers] == [
        (3, 0.1533), (2, 0.03), (0, None),
    ]  # fmt: skip


def test_a_threshold_is_kept_with_history_and_must_be_a_confidence(store):
    matching_policy_set(store=store, confirm_from=Decimal("0.95"), by=None)
    matching_policy_set(store=store, confirm_from=Decimal("0.95"), by=None)
    matching_policy_set(store=store, confirm_from=None, by=None)
    assert confirm_threshold(store=store) is None
    assert [entry.confirm_from for entry in MatchingPolicy.history.order_by("history_id")] == [Decimal("0.95"), None]
    with pytest.raises(ConfigError):
        matching_policy_set(store=store, confirm_from=Decimal("0.2"), by=None)


@pytest.mark.every_database
@pytest.mark.slow
def test_real_shop_is_aligned_from_names_skus_and_barcodes_alone(hydro_catalogues, refresh, hydro):
    import csv
    from pathlib import Path

    from django.conf import settings

    with Path(settings.BASE_DIR, "tests", "data", "hydro", "alignment_truth.csv").open(newline="") as file:
        truth = {(row["POS SKU"], row["WooCommerce SKU"]) for row in csv.DictReader(file)}
    matching_policy_set(store=hydro_catalogues[1], confirm_from=Decimal("0.95"), by=None)
    result = refresh()
    confirmed = set(Alignment.objects.filter(status="confirmed").values_list("item__sku", "listing__sku"))
    assert result.confirmed == len(confirmed)
    assert len(confirmed - truth) <= 0.002 * len(confirmed)
    assert len(confirmed & truth) >= 0.78 * len(truth)  # without the till's vendors, which most names leave out


@pytest.mark.every_database
@pytest.mark.slow
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
    with django_assert_max_num_queries(100):
        assert refresh().created == 3000
    with django_assert_max_num_queries(8):
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
    assert figures == Coverage(items=2, items_confirmed=1, listings=2, proposed=1)
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
