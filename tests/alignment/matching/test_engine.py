"""The matcher's rules, on catalogues small enough to see through."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignment.matching.engine import Match, match
from alignment.matching.parts.things import Thing, variation_name
from alignment.matching.weighing.confidence import expected_error

UPC, OTHER_UPC = "514975826515", "175345490165"


def things(*rows: dict[str, str]) -> list[Thing]:
    return [Thing(key, **{"sku": "", **row}) for key, row in enumerate(rows)]


def pairs(found: list[Match]) -> list[tuple[int, int]]:
    return [(one.item_key, one.listing_key) for one in found]


# Enough neighbours that words have a meaning.
NEIGHBOURS = [
    {"sku": f"SHELF-{name.upper()}-{size}", "name": f"Acme {name} {size}"}
    for name in ("Rice", "Beans", "Honey", "Salt", "Pepper", "Sugar")
    for size in ("100g", "250g", "1kg")
]


def matched(items: list[dict[str, str]], listings: list[dict[str, str]], **options):
    """Result: the match of the first item, and all."""
    found = match(things(*items, *NEIGHBOURS), things(*listings, *NEIGHBOURS), **options)
    return next((one for one in found.matches if one.item_key == 0), None), found


def test_the_same_size_in_another_spelling_is_found_and_the_evidence_says_why():
    one, _ = matched(
        [{"sku": "BIG-BUD-1L", "name": "BIG BUD 1L", "brand": "Advanced Nutrients"}],
        [
            {"sku": "AN-BIGBUD-10L", "name": "Advanced Nutrients Big Bud 10 L"},
            {"sku": "AN-BIGBUD-1L", "name": "Advanced Nutrients Big Bud 1 litre"},
        ],
    )  # fmt: skip
    assert one.listing_key == 1
    assert "size 1l = 1 litre" in one.evidence
    assert "brand Advanced Nutrients" in one.evidence


def test_another_size_is_never_matched_however_alike_the_rest():
    one, found = matched([{"sku": "A-BIGBUD-1L", "name": "Big Bud 1L"}], [{"sku": "A-BIGBUD-10L", "name": "Big Bud 10L"}])
    assert one is None
    assert "check: the sizes differ" in found.candidates(0)[0].evidence


def test_the_same_sku_with_another_size_is_shown_and_doubted():
    one, _ = matched([{"sku": "BUD-LARGE", "name": "Big Bud 1L"}], [{"sku": "BUD-LARGE", "name": "Big Bud 10L"}])
    assert one is None or (not one.is_safe and one.confidence <= 0.5)


def test_the_same_barcode_with_another_name_is_doubted():
    one, _ = matched(
        [{"sku": "1", "name": "Garden hose reel green", "barcode": UPC}],
        [{"sku": "2", "name": "Chocolate wafers", "barcode": UPC}],
    )
    assert one is None or "their names have little in common" in one.doubts


def test_a_barcode_on_several_things_does_not_confirm():
    one, found = matched(
        [{"sku": "M1", "name": "Mug blue", "barcode": UPC}, {"sku": "M2", "name": "Mug green", "barcode": UPC}],
        [{"sku": "X1", "name": "Mug blue", "barcode": UPC}, {"sku": "X2", "name": "Mug green"}],
    )
    assert one.listing_key == 0
    assert not one.is_safe
    assert [match.is_safe for match in found.matches if match.item_key == 1] in ([], [False])


def test_a_damaged_barcode_says_nothing():
    with_damage, _ = matched(
        [{"sku": "1", "name": "Mug", "barcode": "6.12E+11"}], [{"sku": "2", "name": "Cup", "barcode": "6.12E+11"}]
    )
    assert with_damage is None


def test_two_equally_good_listings_confirm_neither_and_name_the_other():
    one, _ = matched(
        [{"sku": "77", "name": "Oat cookies raisin 300g"}],
        [{"sku": "OC-1", "name": "Oat cookies raisin 300g"}, {"sku": "OC-2", "name": "Oat cookies raisin 300 g"}],
    )
    assert one.confidence <= 0.6
    assert not one.is_safe
    assert "fits as well" in one.evidence


def test_an_isbn_as_sku_is_the_same_with_dashes_without_and_as_barcode():
    isbn = "9780306406157"
    one, _ = matched(
        [{"sku": "978-0-306-40615-7", "name": "Quiet River HC"}], [{"sku": isbn, "name": "The Quiet River hardcover"}]
    )
    assert (one.kind, one.is_safe) == ("exact", True)
    one, _ = matched(
        [{"sku": isbn, "name": "Quiet River"}], [{"sku": "BK-77", "name": "The Quiet River", "barcode": "0-306-40615-2"}]
    )
    assert (one.kind, one.is_safe) == ("barcode", True)


def test_a_pack_is_not_a_single_one_unless_a_barcode_says_so():
    single = [{"sku": "C1", "name": "Cola classic 330ml"}]
    pack = [{"sku": "C6", "name": "Cola classic 6 x 330ml"}]
    one, _ = matched(single, pack)
    assert one is None or not one.is_safe
    one, _ = matched([{**single[0], "barcode": UPC}], [{**pack[0], "barcode": UPC}])
    assert one.is_safe


@pytest.mark.parametrize(
    ("till", "shop"),
    [
        ("Sensi Grow A 1L", "Sensi Grow B 1L"),
        ("Crime Stories Vol. 1", "Crime Stories Vol. 2"),
        ("Tea strawberry 20pk", "Tea vanilla 20pk"),
    ],
)
def test_a_word_or_number_that_differs_keeps_things_apart(till, shop):
    one, _ = matched([{"sku": "100001", "name": till}], [{"sku": "X-1", "name": shop}])
    assert one is None or one.confidence < 0.8 or not one.is_safe


def test_what_a_person_rejected_is_not_matched_again_and_what_is_settled_is_left():
    rows = [{"sku": "MUG-BLUE", "name": "Mug blue"}]
    assert pairs(matched(rows, rows)[1].matches)[0] == (0, 0)
    assert matched(rows, rows, barred=[(0, 0)])[0] is None
    assert matched(rows, rows, settled=[(0, 0)])[0] is None
    one, _ = matched(rows, [*rows, {"sku": "MUG-BLUE-2", "name": "Mug blue"}], settled=[(0, 1)])
    assert one is None


def test_next_best_listings_come_with_their_evidence():
    _, found = matched(
        [{"sku": "77", "name": "Oat cookies raisin 300g"}],
        [{"sku": "OC-1", "name": "Oat cookies raisin 300g"}, {"sku": "OC-2", "name": "Oat cookies honey 300g"}],
    )
    first, second, *_ = found.candidates(0)
    assert (first.listing_key, second.listing_key) == (0, 1)
    assert first.confidence > second.confidence
    assert "only the shop says “honey”" in second.evidence
    assert len(found.candidates(0, 1)) == 1


def test_nothing_to_match_matches_nothing():
    assert match([], []).matches == []
    assert match(things({"sku": "A"}), []).matches == []
    assert match([], things({"sku": "A"})).candidates(0) == []


@pytest.mark.parametrize(
    ("parent", "own", "options", "whole"),
    [
        ("Acme Bud", "250ml", [], "Acme Bud 250ml"),
        ("Acme Bud", "Acme Bud - 250ml", [], "Acme Bud - 250ml"),
        ("Acme Bud", "", ["Blue", "250 ml"], "Acme Bud Blue 250 ml"),
        ("Acme Bud", "Blue", ["Blue"], "Acme Bud Blue"),
        ("", "Acme Bud", [], "Acme Bud"),
    ],
)
def test_a_variation_is_called_by_its_parent_and_its_options(parent, own, options, whole):
    assert variation_name(parent, own, options) == whole


def test_the_expected_error_is_what_confidences_leave_open():
    assert expected_error([1.0, 0.9, 0.5], 0.9) == pytest.approx(0.05)
    assert expected_error([Decimal("0.98")], 0.5) == pytest.approx(0.02)
    assert expected_error([0.5], 0.9) is None
    assert expected_error([], 0) is None


NAMES = st.lists(st.sampled_from("Rice Beans Honey red blue dark 100g 1kg 6x330ml Vol. 2 3 XL".split()), max_size=5).map(" ".join)  # noqa: SIM905
ROWS = st.lists(
    st.fixed_dictionaries(
        {"sku": st.sampled_from(["A-1", "a 1", "B-2", "MUG-RED", "1001", "", "7"]), "name": NAMES,
         "barcode": st.sampled_from(["", UPC, f"{UPC}.0", OTHER_UPC, "6.12E+11", "12345678"])}
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS)
def test_whatever_comes_each_thing_is_matched_once_and_doubt_never_goes_with_certainty(items, listings):
    found = match(things(*items), things(*listings)).matches
    assert len({one.item_key for one in found}) == len({one.listing_key for one in found}) == len(found)
    for one in found:
        assert 0 < one.confidence < 1
        assert one.evidence or not one.is_safe or one.confidence < 0.95
        assert one.is_safe or one.confidence <= 0.9


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS)
def test_what_confirms_itself_has_no_other_size(items, listings):
    from alignment.matching.parts.sizes import size_agreement
    from alignment.matching.parts.things import Cut
    from alignment.matching.weighing.measures import Agreement

    ours, theirs = things(*items), things(*listings)
    for one in match(ours, theirs).matches:
        if one.is_safe:
            agreement = size_agreement(Cut(ours[one.item_key]), Cut(theirs[one.listing_key]))
            assert agreement not in (Agreement.DIFFERS, Agreement.PACK_DIFFERS)
