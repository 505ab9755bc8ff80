"""What an import plans, and what it does."""

from decimal import Decimal

import pytest

from alignment.errors import AlignmentChangedError
from alignment.importing.apply import ImportResult, import_apply, plan_import
from alignment.importing.effects import Change, EffectCounts
from alignment.importing.rows import alignment_parse
from alignment.models import Alignment
from inventory.models import Listing
from kit.errors import FileError
from kit.files.effects import Effect
from tests import factories
from tests.ledger import keeping

HEADER = "POS SKU,WooCommerce SKU,Match Type,Confidence\n"


@pytest.fixture
def plan(pos, store):
    """Plans an import of these rows."""

    def plan_of(*rows: str):
        content = (HEADER + "\n".join(rows)).encode()
        return plan_import(alignment_parse(content, limit=10**6), pos, store)

    return plan_of


@pytest.fixture
def mugs(pos, store):
    """Two items and two listings of the same SKUs; nothing aligned."""
    items = [factories.item(pos, sku) for sku in ("MUG-1", "MUG-2")]
    return items, [factories.listing(store, sku) for sku in ("MUG-1", "MUG-2")]


def told(plan, line: int) -> tuple[str, str]:
    effect = next(effect for effect in plan.rows if effect.row.line == line)
    assert bool(effect.next_step) == effect.is_problem
    assert bool(effect.message) or not effect.is_problem
    return effect.effect.value, effect.code


def test_real_alignment_is_planned_and_applied_whole(hydro_catalogues, hydro_file, django_user_model):
    pos, store = hydro_catalogues
    anna = django_user_model.objects.create_user("anna")
    rows = alignment_parse(hydro_file, limit=10**6)
    plan = plan_import(rows, pos, store)
    assert plan.counts == EffectCounts(create=1355, change=0, unchanged=0, conflict=0, error=0)
    assert import_apply(plan=plan, by=anna, reason="import of a file") == ImportResult(1355, 0, 0, 0)
    pairs = Alignment.objects.filter(status="confirmed").values_list("item__sku", "listing__sku", "match_type", "confidence")
    assert set(pairs) == {(row.pos_sku, row.store_sku, row.match_type, Decimal(row.confidence)) for row in rows}
    noted = Alignment.history.filter(history_type="+", history_user=anna, history_change_reason="import of a file")
    assert noted.count() == Alignment.history.count() == 1355


def test_importing_the_same_file_again_changes_nothing_and_writes_no_history(hydro_catalogues, hydro_file):
    pos, store = hydro_catalogues
    rows = alignment_parse(hydro_file, limit=10**6)
    import_apply(plan=plan_import(rows, pos, store), by=None, reason="first")
    again = plan_import(rows, pos, store)
    assert again.counts == EffectCounts(create=0, change=0, unchanged=1355, conflict=0, error=0)
    assert import_apply(plan=again, by=None, reason="second") == ImportResult(0, 0, 1355, 0)
    assert Alignment.history.count() == 1355


def test_a_plan_reads_and_writes_in_a_bounded_number_of_statements(hydro_catalogues, hydro_file, django_assert_max_num_queries):
    pos, store = hydro_catalogues
    rows = alignment_parse(hydro_file, limit=10**6)
    with django_assert_max_num_queries(20):
        plan = plan_import(rows, pos, store)
    with django_assert_max_num_queries(40):
        import_apply(plan=plan, by=None, reason="x")


def test_planning_writes_nothing(plan, mugs):
    assert plan("MUG-1,MUG-1,exact,1.0").counts.create == 1
    assert not Alignment.objects.exists()
    assert not Alignment.history.exists()


@pytest.mark.parametrize("empty", ["till", "store"])
def test_a_catalogue_that_was_never_read_is_said_once_with_what_to_do(plan, pos, store, empty):
    if empty == "till":
        factories.listing(store)
    else:
        factories.item(pos)
    with pytest.raises(FileError) as caught:
        plan("MUG-1,MUG-1,exact,1.0")
    name = "till" if empty == "till" else "shop"
    assert caught.value.message == f"“{name}” was never read, so no row can be matched."
    assert "inventory_sync --full --connection shop" in caught.value.next_step


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("MUG-9,MUG-1,exact,1.0", "unknown_pos_sku"),
        ("MUG-1,MUG-9,exact,1.0", "unknown_store_sku"),
        ("MUG-1,MUG-1,exact,1.1", "bad_confidence"),
        ("MUG-1,MUG-1,exact,-0.1", "bad_confidence"),
        ("MUG-1,MUG-1,exact,NaN", "bad_confidence"),
        ("MUG-1,MUG-1,exact,95%", "bad_confidence"),
        ("MUG-1,MUG-1,exact,", "bad_confidence"),
        ("MUG-1,MUG-1,perfect,1.0", "bad_match_type"),
        ("MUG-1,MUG-1,,1.0", "bad_match_type"),
        (",MUG-1,exact,1.0", "no_pos_sku"),
        ("MUG-1,,exact,1.0", "no_store_sku"),
        ("MUG-1,MUG-1", "short_row"),
    ],
)
def test_a_row_that_cannot_be_used_is_an_error_with_its_reason(plan, mugs, row, code):
    planned = plan(row, "MUG-2,MUG-2,exact,1.0")
    assert told(planned, 2) == ("error", code)
    assert told(planned, 3) == ("create", "")
    assert import_apply(plan=planned, by=None, reason="x") == ImportResult(1, 0, 0, 1)
    assert [str(pair) for pair in Alignment.objects.all()] == ["MUG-2 ↔ MUG-2"]


def test_a_parent_of_variations_cannot_be_stocked(plan, pos, store):
    factories.item(pos, "TEE")
    factories.listing(store, "TEE", kind="variable", stock_management=Listing.Management.NONE)
    assert told(plan("TEE,TEE,exact,1"), 2) == ("error", "parent_listing")


def test_a_parent_that_the_store_counts_can_be_stocked(plan, pos, store):
    factories.item(pos, "TEE")
    factories.listing(store, "TEE", kind="variable", stock_management=Listing.Management.OWN)
    assert told(plan("TEE,TEE,exact,1"), 2) == ("create", "")


def test_a_variation_shown_under_its_parents_sku_is_the_one_meant(plan, pos, store):
    factories.item(pos, "TEE")
    factories.listing(store, "TEE", kind="variable", stock_management=Listing.Management.NONE)
    variation = factories.listing(store, "TEE", kind="variation")
    planned = plan("TEE,TEE,exact,1")
    assert told(planned, 2) == ("create", "")
    assert planned.rows[0].listing.pk == variation.pk


def test_what_is_gone_from_its_side_is_an_error(plan, pos, store, now):
    for sku in ("GONE", "HERE"):
        factories.item(pos, sku, missing_since=now if sku == "GONE" else None)
        factories.listing(store, sku, missing_since=now if sku == "HERE" else None)
    planned = plan("GONE,GONE,exact,1", "HERE,HERE,exact,1")
    assert [told(planned, line) for line in (2, 3)] == [("error", "item_missing"), ("error", "listing_missing")]


def test_a_sku_that_two_listings_have_is_a_conflict_unless_one_is_gone(plan, pos, store, now):
    factories.item(pos, "MUG")
    factories.listing(store, "MUG")
    second = factories.listing(store, "MUG")
    assert told(plan("MUG,MUG,exact,1"), 2) == ("conflict", "ambiguous_store_sku")
    second.missing_since = now
    second.save(update_fields=["missing_since"])
    assert told(plan("MUG,MUG,exact,1"), 2) == ("create", "")


def test_a_sku_that_fits_two_items_only_by_spelling_is_a_conflict(plan, pos, store):
    factories.item(pos, "MUG-A")
    factories.item(pos, "MUG A")
    factories.listing(store, "MUG")
    assert told(plan("muga,MUG,exact,1"), 2) == ("conflict", "ambiguous_pos_sku")
    assert told(plan("MUG A,MUG,exact,1"), 2) == ("create", "")


def test_spelling_is_forgiven_and_said(plan, mugs):
    effect = plan('mug 1,MUG_1,Auto High,"0,95"').rows[0]
    assert (effect.effect, effect.match_type, effect.confidence) == (Effect.CREATE, "auto-high", Decimal("0.95"))
    assert effect.message == ("“mug 1” is taken for “MUG-1” and “MUG_1” is taken for “MUG-1”: the same apart from spelling.")


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        (["MUG-1,MUG-1,exact,1", "MUG-2,MUG-1,fuzzy,0.9"], ["listing_twice", "listing_twice"]),
        (["MUG-1,MUG-1,exact,1", "MUG-1,MUG-2,fuzzy,0.9"], ["pos_sku_twice", "pos_sku_twice"]),
        (["MUG-1,MUG-1,exact,1", "MUG-1,MUG-1,fuzzy,0.9"], ["pair_twice", "pair_twice"]),
    ],
)
def test_rows_that_contradict_each_other_are_conflicts_and_none_is_applied(plan, mugs, rows, codes):
    planned = plan(*rows)
    assert [(effect.effect.value, effect.code) for effect in planned.rows] == [("conflict", code) for code in codes]
    assert "Lines 2, 3 " in planned.rows[0].message
    import_apply(plan=planned, by=None, reason="x")
    assert not Alignment.objects.exists()


def test_a_row_repeated_word_for_word_counts_once(plan, mugs):
    planned = plan("MUG-1,MUG-1,exact,1", "MUG-1,MUG-1,exact,1.0")
    assert [told(planned, line) for line in (2, 3)] == [("create", ""), ("unchanged", "repeated_row")]
    assert import_apply(plan=planned, by=None, reason="x").created == 1


def test_a_confirmed_partner_is_never_replaced(plan, mugs):
    (one, _two), (first, _second) = mugs
    factories.alignment(one, first)
    planned = plan("MUG-2,MUG-1,exact,1", "MUG-1,MUG-2,exact,1")
    assert [told(planned, line) for line in (2, 3)] == [("conflict", "listing_taken"), ("conflict", "item_taken")]
    assert "item “MUG-1”" in planned.rows[0].message
    import_apply(plan=planned, by=None, reason="x")
    assert [str(pair) for pair in Alignment.objects.all()] == ["MUG-1 ↔ MUG-1"]


def test_a_listing_confirmed_with_another_tills_item_is_taken(plan, mugs):
    other = factories.item(factories.pos_connection("second-till"), "MUG-1")
    factories.alignment(other, mugs[1][0])
    assert told(plan("MUG-1,MUG-1,exact,1"), 2) == ("conflict", "listing_taken")


def test_an_item_may_stand_in_a_second_store(plan, mugs):
    elsewhere = factories.listing(factories.store_connection("second-shop"), "MUG-1")
    factories.alignment(mugs[0][0], elsewhere)
    assert told(plan("MUG-1,MUG-1,exact,1"), 2) == ("create", "")


def test_a_rejected_pair_is_not_confirmed_by_a_file(plan, mugs):
    pair = factories.alignment(mugs[0][0], mugs[1][0], status="rejected")
    planned = plan("MUG-1,MUG-1,exact,1")
    assert told(planned, 2) == ("conflict", "pair_rejected")
    import_apply(plan=planned, by=None, reason="x")
    pair.refresh_from_db()
    assert pair.status == "rejected"


def test_a_row_that_the_file_itself_calls_proposed_is_left_alone(plan, mugs, pos, store):
    content = (
        b"POS SKU,WooCommerce SKU,Match Type,Confidence,Status\nMUG-1,MUG-1,exact,1,Proposed\nMUG-2,MUG-2,exact,1,Confirmed\n"
    )
    planned = plan_import(alignment_parse(content, limit=10**6), pos, store)
    assert [told(planned, line) for line in (2, 3)] == [("unchanged", "not_confirmed"), ("create", "")]


def test_a_change_says_what_becomes_what_and_is_applied(plan, mugs):
    pair = factories.alignment(mugs[0][0], mugs[1][0], status="proposed", confidence=Decimal("0.9"), evidence="same barcode")
    planned = plan("MUG-1,MUG-1,manual,1")
    assert planned.rows[0].changes == (
        Change("status", "proposed", "confirmed"),
        Change("match type", "exact", "manual"),
        Change("confidence", "0.9", "1"),
    )
    assert import_apply(plan=planned, by=None, reason="x") == ImportResult(0, 1, 0, 0)
    pair.refresh_from_db()
    assert (pair.status, pair.match_type, pair.confidence, pair.evidence) == ("confirmed", "manual", 1, "same barcode")
    assert [entry.history_type for entry in pair.history.all()] == ["~", "+"]
    assert pair.history.first().history_change_reason == "x"


def test_a_newly_confirmed_listing_opens_its_account_anew(plan, mugs, now):
    _, (first, second) = mugs
    opened = {"baseline": Decimal(3), "suspect": Decimal(1), "suspected_at": now, "opened_at": now, "quantity": Decimal(3)}
    with keeping():
        Listing.objects.update(**opened)
    factories.alignment(mugs[0][1], second, confidence=Decimal("0.5"))
    import_apply(plan=plan("MUG-1,MUG-1,exact,1", "MUG-2,MUG-2,exact,1"), by=None, reason="x")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.baseline, first.suspect, first.suspected_at, first.opened_at, first.quantity) == (None, None, None, None, 3)
    assert (second.baseline, second.opened_at) == (3, now)  # it was confirmed already: its account goes on


@pytest.mark.parametrize("meanwhile", ["pair proposed", "listing taken", "item taken", "pair changed", "pair deleted"])
def test_what_changed_since_the_plan_stops_the_whole_import(plan, mugs, pos, meanwhile):
    (one, _two), (first, _second) = mugs
    if meanwhile in ("pair changed", "pair deleted"):
        pair = factories.alignment(one, first, status="proposed")
    planned = plan("MUG-1,MUG-1,exact,1", "MUG-2,MUG-2,exact,1")
    if meanwhile == "pair proposed":
        factories.alignment(one, first, status="proposed")
    elif meanwhile == "listing taken":
        factories.alignment(factories.item(pos, "OTHER"), first)
    elif meanwhile == "item taken":
        factories.alignment(one, factories.listing(first.connection, "OTHER"))
    elif meanwhile == "pair changed":
        pair.confidence = Decimal("0.5")
        pair.save()
    else:
        pair.delete()
    before = list(Alignment.objects.values_list())
    history = Alignment.history.count()
    with pytest.raises(AlignmentChangedError):
        import_apply(plan=planned, by=None, reason="x")
    assert list(Alignment.objects.values_list()) == before
    assert Alignment.history.count() == history


def test_fingerprint_tells_whether_a_plan_is_still_the_same(plan, mugs):
    rows = ("MUG-1,MUG-1,exact,1", "MUG-2,MUG-2,exact,1")
    shown = plan(*rows).fingerprint
    assert plan(*rows).fingerprint == shown
    factories.alignment(mugs[0][0], mugs[1][0], status="proposed")
    assert plan(*rows).fingerprint != shown


def test_many_rows_for_one_listing_stay_quick(plan, mugs):
    planned = plan(*["MUG-1,MUG-1,exact,1"] * 20_000, "MUG-2,MUG-1,exact,1")
    assert planned.counts.conflict == 20_001
    assert planned.rows[0].message.startswith("Lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 19991 more")


def test_a_reason_longer_than_the_history_keeps_is_cut(plan, mugs):
    import_apply(plan=plan("MUG-1,MUG-1,exact,1"), by=None, reason="é" * 300)
    assert Alignment.history.get().history_change_reason == "é" * 100


@pytest.fixture
def packs(pos, store, mugs):
    """Plans a file with the column Units."""

    def planned(*rows):
        text = "\n".join(["POS SKU,WooCommerce SKU,Match Type,Confidence,Units", *rows])
        return plan_import(alignment_parse(text.encode(), limit=10**6), pos, store)

    return planned


def test_a_file_makes_the_single_and_its_packs(packs):
    planned = packs("MUG-1,MUG-1,exact,1,", "MUG-1,MUG-2,manual,1,6")
    assert [told(planned, line) for line in (2, 3)] == [("create", ""), ("create", "")]
    import_apply(plan=planned, by=None, reason="x")
    made = Alignment.objects.order_by("listing__sku").values_list("listing__sku", "units_per_listing")
    assert list(made) == [("MUG-1", 1), ("MUG-2", 6)]
    again = packs("MUG-1,MUG-1,exact,1,1", "MUG-1,MUG-2,manual,1,6")
    assert again.counts.unchanged == 2
    assert import_apply(plan=again, by=None, reason="x") == ImportResult(0, 0, 2, 0)


def test_a_file_without_units_leaves_a_packs_units_as_they_are(plan, packs, mugs):
    pair = factories.alignment(mugs[0][0], mugs[1][0], units_per_listing=6)
    assert told(plan("MUG-1,MUG-1,exact,1"), 2) == ("unchanged", "")
    assert told(packs("MUG-1,MUG-1,exact,1,"), 2) == ("unchanged", "")
    import_apply(plan=plan("MUG-1,MUG-1,manual,1"), by=None, reason="x")
    pair.refresh_from_db()
    assert (pair.match_type, pair.units_per_listing) == ("manual", 6)


def test_other_units_are_a_change_and_the_number_is_read_anew(packs, mugs, now):
    with keeping():
        Listing.objects.update(baseline=Decimal(3), opened_at=now)
    pair = factories.alignment(mugs[0][0], mugs[1][0], units_per_listing=6)
    planned = packs("MUG-1,MUG-1,exact,1,4")
    assert planned.rows[0].changes == (Change("units per listing", "6", "4"),)
    import_apply(plan=planned, by=None, reason="smaller box")
    pair.refresh_from_db()
    first = mugs[1][0]
    first.refresh_from_db()
    assert (pair.units_per_listing, first.baseline, first.opened_at) == (4, None, now)
    assert pair.history.first().history_change_reason == "smaller box"


@pytest.mark.parametrize("units", ["0", "-6", "1.5", "six", "６", "100001", "9" * 400])
def test_units_that_are_no_whole_number_are_named_by_line(packs, units):
    planned = packs(f"MUG-1,MUG-1,exact,1,{units}", "MUG-2,MUG-2,exact,1,2")
    assert [told(planned, line) for line in (2, 3)] == [("error", "bad_units"), ("create", "")]


def test_packs_of_one_size_contradict_each_other_in_a_file_and_with_what_is_confirmed(packs, mugs, store):
    rows = ("MUG-1,MUG-1,exact,1,6", "MUG-1,MUG-2,exact,1,6")
    assert [told(packs(*rows), line) for line in (2, 3)] == [("conflict", "pos_sku_twice")] * 2
    assert [told(packs(rows[0], "MUG-1,MUG-1,exact,1,4"), line) for line in (2, 3)] == [("conflict", "pair_twice")] * 2
    factories.alignment(mugs[0][0], mugs[1][0], units_per_listing=6)
    assert told(packs(rows[1]), 2) == ("conflict", "item_taken")
    assert told(packs("MUG-1,MUG-2,exact,1,4"), 2) == ("create", "")
    factories.alignment(mugs[0][0], mugs[1][1], units_per_listing=4)
    assert told(packs(rows[1]), 2) == ("conflict", "item_taken")  # a change that would make two of one size


def test_a_pack_of_that_size_made_meanwhile_stops_the_import(packs, mugs, store):
    planned = packs("MUG-1,MUG-1,exact,1,6")
    factories.alignment(mugs[0][0], mugs[1][1], units_per_listing=6)
    with pytest.raises(AlignmentChangedError):
        import_apply(plan=planned, by=None, reason="x")
