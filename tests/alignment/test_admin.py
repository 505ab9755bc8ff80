"""Listings, pairs and supply in the admin: who may, what they see, and what it costs."""

from decimal import Decimal

import pytest
from django.urls import reverse

from alignment.models import Alignment
from inventory.models import Listing
from tests import factories

VIEW = ("alignment.view_alignment", "inventory.view_listing", "alignment.view_storelocation")
LISTS = ["alignment", "listing", "storelocation"]


def list_page(model: str) -> str:
    return reverse(f"admin:{'inventory' if model == 'listing' else 'alignment'}_{model}_changelist")


@pytest.fixture
def viewer(client, db):
    client.force_login(factories.person("viewer", *VIEW))
    return client


@pytest.fixture
def manager(client, db):
    client.force_login(
        factories.person("manager", *VIEW, "alignment.add_alignment", "alignment.change_alignment", "alignment.delete_alignment")
    )
    return client


@pytest.fixture
def proposal(pos, store):
    return factories.alignment(factories.item(pos, "MUG-1", name="Mug"), factories.listing(store, "mug1"), status="proposed")


@pytest.fixture
def shop_of_sixty(pos, store):
    for n in range(60):
        item, listing = factories.item(pos, f"SKU-{n}"), factories.listing(store, f"SKU-{n}", quantity=Decimal(n))
        factories.alignment(item, listing, status=("confirmed", "proposed", "rejected")[n % 3])
    factories.supply(store, factories.location(pos))


@pytest.mark.parametrize("model", LISTS)
def test_a_list_costs_few_queries_however_long_it_is(admin_client, shop_of_sixty, model, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        assert admin_client.get(list_page(model)).status_code == 200


@pytest.mark.parametrize("model", LISTS)
def test_lists_want_a_login_and_the_permission(client, db, model):
    assert client.get(list_page(model)).status_code == 302
    client.force_login(factories.person("nobody"))
    assert client.get(list_page(model)).status_code == 403


def test_a_viewer_sees_and_cannot_decide(viewer, proposal):
    page = viewer.get(list_page("alignment")).content.decode()
    assert "Mug" in page
    assert "Confirm the selected pairs" not in page
    answer = viewer.post(list_page("alignment"), {"action": "confirm", "_selected_action": [proposal.pk]})
    assert answer.status_code == 403
    change = reverse("admin:alignment_alignment_change", args=[proposal.pk])
    assert "_confirm" not in viewer.get(change).content.decode()
    assert viewer.post(change, {"_confirm": "1"}).status_code == 403
    assert viewer.post(reverse("admin:alignment_alignment_add")).status_code == 403
    proposal.refresh_from_db()
    assert (proposal.status, proposal.history.count()) == ("proposed", 1)


@pytest.mark.parametrize(("action", "status"), [("confirm", "confirmed"), ("reject", "rejected")])
def test_an_action_decides_with_who_and_why(manager, proposal, action, status):
    answer = manager.post(
        list_page("alignment"), {"action": action, "reason": "same shelf", "_selected_action": [proposal.pk]}, follow=True
    )
    assert f"1 pair {status}." in answer.content.decode()
    proposal.refresh_from_db()
    entry = proposal.history.first()
    assert (proposal.status, entry.history_user.username, entry.history_change_reason) == (status, "manager", "same shelf")


def test_what_cannot_be_confirmed_is_said_on_the_page(manager, proposal, pos):
    factories.alignment(factories.item(pos, "OTHER"), proposal.listing)
    answer = manager.post(list_page("alignment"), {"action": "confirm", "_selected_action": [proposal.pk]}, follow=True)
    assert "mug1 is confirmed as item “OTHER”. Reject that pair first." in answer.content.decode()
    proposal.refresh_from_db()
    assert proposal.status == "proposed"


@pytest.mark.parametrize(("button", "status"), [("_confirm", "confirmed"), ("_reject", "rejected")])
def test_the_pairs_own_page_decides_and_keeps_its_history(manager, proposal, button, status):
    change = reverse("admin:alignment_alignment_change", args=[proposal.pk])
    assert button in manager.get(change).content.decode()
    manager.post(change, {button: "1", "reason": "looked at both"})
    proposal.refresh_from_db()
    assert proposal.status == status
    history = manager.get(reverse("admin:alignment_alignment_history", args=[proposal.pk]))
    assert history.status_code == 200
    assert "looked at both" in history.content.decode()


def test_posting_other_fields_of_a_pair_changes_nothing(manager, proposal, pos):
    other = factories.item(pos, "OTHER")
    change = reverse("admin:alignment_alignment_change", args=[proposal.pk])
    manager.post(change, {"item": other.pk, "status": "confirmed", "confidence": "0.1", "_save": "1"})
    before = (proposal.item_id, proposal.status, proposal.confidence)
    proposal.refresh_from_db()
    assert (proposal.item_id, proposal.status, proposal.confidence) == before
    assert proposal.history.count() == 1


def test_a_pair_made_by_hand_is_confirmed_with_history(manager, pos, store):
    item, listing = factories.item(pos, "A"), factories.listing(store, "B", baseline=Decimal(3))
    manager.post(
        reverse("admin:alignment_alignment_add"),
        {"item": item.pk, "listing": listing.pk, "units_per_listing": 6, "evidence": "I packed it"},
    )
    pair = Alignment.objects.get()
    assert (pair.item, pair.listing, pair.status, pair.match_type, pair.confidence, pair.evidence) == (
        *(item, listing, "confirmed", "manual", 1),
        "I packed it",
    )
    assert pair.units_per_listing == 6
    entry = pair.history.get()
    assert (entry.history_user.username, entry.history_change_reason) == ("manager", "made by hand")
    listing.refresh_from_db()
    assert listing.baseline is None


@pytest.mark.parametrize("why", ["taken", "there already"])
def test_a_pair_that_cannot_be_is_not_made_by_hand(manager, proposal, pos, why):
    item = proposal.item if why == "there already" else factories.item(pos, "NEW")
    if why == "taken":
        factories.alignment(factories.item(pos, "OTHER"), proposal.listing)
    before = Alignment.objects.count()
    answer = manager.post(
        reverse("admin:alignment_alignment_add"),
        {"item": item.pk, "listing": proposal.listing_id, "units_per_listing": 1, "evidence": ""},
    )
    assert answer.status_code == 200
    assert "errornote" in answer.content.decode()
    assert Alignment.objects.count() == before


def test_the_pairs_own_page_sets_its_units_with_a_reason(manager, pos, store, now):
    pair = factories.alignment(factories.item(pos), factories.listing(store, baseline=Decimal(3), opened_at=now))
    page = reverse("admin:alignment_alignment_change", args=[pair.pk])
    for given, reason in (("6", ""), ("0", "x"), ("six", "x"), ("", "x"), ("1.5", "x")):
        manager.post(page, {"_units": "1", "units": given, "reason": reason})
        pair.refresh_from_db()
        assert (pair.units_per_listing, pair.history.count()) == (1, 1)
    manager.post(page, {"_units": "1", "units": "6", "reason": "sold by the box"})
    pair.refresh_from_db()
    assert (pair.units_per_listing, pair.history.first().history_change_reason) == (6, "sold by the box")
    assert pair.history.first().history_user.username == "manager"
    assert "packs of 6" in manager.get(list_page("alignment")).content.decode()


def test_a_viewer_sets_no_units(viewer, pos, store):
    pair = factories.alignment(factories.item(pos), factories.listing(store))
    page = reverse("admin:alignment_alignment_change", args=[pair.pk])
    assert viewer.post(page, {"_units": "1", "units": "6", "reason": "x"}).status_code == 403
    pair.refresh_from_db()
    assert pair.units_per_listing == 1


def test_a_confirmed_pair_is_not_deleted_and_a_proposal_may_be(manager, proposal, pos, store):
    confirmed = factories.alignment(factories.item(pos, "A"), factories.listing(store, "A"))
    assert manager.post(reverse("admin:alignment_alignment_delete", args=[confirmed.pk]), {"post": "yes"}).status_code == 403
    manager.post(reverse("admin:alignment_alignment_delete", args=[proposal.pk]), {"post": "yes"})
    assert list(Alignment.objects.all()) == [confirmed]
    answer = manager.post(list_page("alignment"), {"action": "delete_selected", "_selected_action": [confirmed.pk]})
    assert answer.status_code == 403


def test_the_list_begins_with_how_far_the_shop_is_aligned(manager, proposal, pos, store):
    for sku in ("A", "B"):
        factories.alignment(factories.item(pos, sku), factories.listing(store, sku))
    page = manager.get(list_page("alignment")).content.decode()
    assert "2 of 3 items of till have a confirmed listing in shop (66.6 %). 1 proposal waits for a decision." in page


def test_listings_are_found_by_their_partner(viewer, proposal, pos, store):
    factories.alignment(factories.item(pos, "DONE"), factories.listing(store, "DONE"))
    factories.listing(store, "LONELY")
    factories.listing(store, "PARENT", kind="variable", stock_management=Listing.Management.NONE)

    def skus(partner: str) -> set[str]:
        page = viewer.get(list_page("listing"), {"partner": partner})
        return {listing.sku for listing in page.context["cl"].result_list}

    assert skus("none") == {"mug1", "LONELY"}
    assert skus("proposed") == {"mug1"}
    assert skus("confirmed") == {"DONE"}


def test_nobody_edits_a_listing(admin_client, proposal):
    change = reverse("admin:inventory_listing_change", args=[proposal.listing_id])
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {"sku": "stolen"}).status_code == 403
    assert admin_client.get(reverse("admin:inventory_listing_add")).status_code == 403


@pytest.mark.parametrize(("model", "term"), [("alignment", "mug1"), ("listing", "mug1"), ("listing", "1001")])
def test_lists_can_be_searched(admin_client, proposal, model, term):
    Listing.objects.update(remote_id=1001)
    page = admin_client.get(list_page(model), {"q": term})
    assert page.context["cl"].result_count == 1
    assert admin_client.get(list_page(model), {"q": "zzz"}).context["cl"].result_count == 0


def test_a_name_with_markup_is_shown_as_text(admin_client, pos, store):
    evil = "<script>alert(1)</script>"
    item, listing = factories.item(pos, "A", name=evil), factories.listing(store, "B", name=evil)
    pair = factories.alignment(item, listing, evidence=evil)
    for address in [
        *(list_page(model) for model in LISTS),
        reverse("admin:alignment_alignment_change", args=[pair.pk]),
        reverse("admin:inventory_listing_change", args=[listing.pk]),
    ]:
        assert evil not in admin_client.get(address).content.decode()


def test_an_export_holds_no_formula_and_can_be_imported_again(viewer, pos, store):
    item = factories.item(pos, "=1+1", name="@SUM(A1)")
    pair = factories.alignment(item, factories.listing(store, "-B"), confidence=Decimal("0.91"), units_per_listing=6)
    answer = viewer.post(list_page("alignment"), {"action": "export", "_selected_action": [pair.pk]})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(answer.streaming_content)
    assert content.decode("utf-8-sig").splitlines() == [
        "POS SKU,WooCommerce SKU,Match Type,Confidence,Units,Status,Item,Listing,Evidence",
        "'=1+1,'-B,exact,0.91,6,confirmed,'@SUM(A1),,",
    ]
    from alignment.importing.apply import plan_import
    from alignment.importing.rows import alignment_parse

    assert plan_import(alignment_parse(content, limit=10_000), pos, store).counts.unchanged == 1


def test_a_store_is_supplied_only_by_stores_side_choices(admin_client, pos, store):
    page = admin_client.get(reverse("admin:alignment_storelocation_add"))
    field = page.context["adminform"].form.fields["store"]
    assert list(field.queryset) == [store]
