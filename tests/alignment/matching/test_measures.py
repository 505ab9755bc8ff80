"""Sizes: how they are written, and what differs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignment.matching.parts.sizes import size_agreement
from alignment.matching.parts.things import Cut, Thing
from alignment.matching.parts.units import UNITS
from alignment.matching.weighing.measures import Agreement, sized


def cut(name: str, sku: str = "") -> Cut:
    return Cut(Thing(1, sku, name), letters_are_sizes=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cola 330ml", "Cola 0,33 l"),
        ("Cola 6 x 330ml", "Cola 330ML 6PK"),
        ("Cola 6x330 ml", "Cola 330ml (Pack of 6)"),
        ("Cola 6er 0,33l", "Cola 330 ml x 6"),
        ("Perlite 2 cu ft", "Perlite 2CUFT"),
        ("Juice 12 fl oz", "Juice 355ml"),
        ("Juice 12oz", "Juice 355ml"),
        ("Syrup 1 gal", "Syrup 3.785 litres"),
        ("Flour 1.000 g", "Flour 1kg"),
        ("Flour 1,5 kg", "Flour 1500g"),
        ('Elbow ½"', "Elbow 1/2 inch"),
        ("Elbow 1 1/2 in", "Elbow 1.5in"),
        ('Elbow 1½"', "Elbow 38.1 mm"),
        ("Pot 2X4", "Pot 2 x 4"),
        ("Board 10 x 20 cm", "Board 10x20cm"),
        ("Eggs dozen", "Eggs 12 pack"),
        ("Tee XL", "Tee Größe XL"),
        ("Novel PB", "Novel Paperback"),
        ("Lamp 1 kW", "Lamp 1000W"),
    ],
)
def test_the_same_size_written_differently_is_the_same(one, other):
    assert size_agreement(cut(one), cut(other)) == Agreement.SAME


@pytest.mark.parametrize(
    ("one", "other", "agreement"),
    [
        ("Bud 1L", "Bud 10L", Agreement.DIFFERS),
        ("Bud 1 gal", "Bud 4 l", Agreement.DIFFERS),
        ("Bud 1 qt", "Bud 1 l", Agreement.DIFFERS),
        ("Tee M", "Tee L", Agreement.DIFFERS),
        ("Novel paperback", "Novel hardcover", Agreement.DIFFERS),
        ("Pot 2x4", "Pot 4x4", Agreement.DIFFERS),
        ("Cola 330ml", "Cola 6 x 330ml", Agreement.PACK_ONE_SIDED),
        ("Cola 6 x 330ml", "Cola 1.98l", Agreement.PACK_ONE_SIDED),
        ("Cola 4 x 330ml", "Cola 6 x 330ml", Agreement.PACK_DIFFERS),
        ("Bags 20pk", "Bags 40 pack", Agreement.PACK_DIFFERS),
        ("Bud", "Bud 1L", Agreement.ONE_SIDED),
        ("Bud 4", "Bud 4 L", Agreement.SAME_NUMBER),
        ("Lamp 120V", "Lamp 4ft", Agreement.OTHER_KIND),
        ("Bud", "Bud", Agreement.NOTHING),
    ],
)
def test_what_differs_is_told_from_what_is_not_said(one, other, agreement):
    assert size_agreement(cut(one), cut(other)) == agreement
    assert size_agreement(cut(other), cut(one)) == agreement


@pytest.mark.parametrize("name", ["2 in 1 shampoo", "7-up", "XR-200B", "Catch 22", "Vol. 2", "M&M's"])
def test_numbers_that_are_no_sizes_stay_in_the_name(name):
    assert sized(name).measures == ()
    assert sized(name).pack == 0


@given(
    number=st.integers(1, 9999),
    unit=st.sampled_from(sorted(unit for unit, (dimension, _) in UNITS.items() if dimension in ("volume", "mass", "power"))),
    gap=st.sampled_from(["", " "]),
    word=st.sampled_from(["Rice", "Öl", "cable"]),
)
def test_a_size_is_read_whatever_stands_between_and_leaves_the_words(number, unit, gap, word):
    found = sized(f"{word} {number}{gap}{unit}")
    assert [(measure.number, measure.dimension) for measure in found.measures] == [(number, UNITS[unit][0])]
    assert found.rest.split() == [word.casefold()]


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_compared_and_agree_the_same_both_ways(one, other):
    assert size_agreement(cut(one), cut(other)) == size_agreement(cut(other), cut(one))
