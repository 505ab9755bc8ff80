"""The gate for what comes over the wire: what passes can be kept and reckoned with; what does not is one typed error."""

import json
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors import wire
from connectors.errors import ConnectorError, UnreadableError
from connectors.http.reply import Reply
from connectors.wire import OddValueError, Thing

ANYTHING = some.recursive(
    some.one_of(
        some.none(),
        some.booleans(),
        some.integers(),
        some.integers(-3, 3),
        some.decimals(),
        some.text(max_size=5),
        some.sampled_from(["\0", "\ud800", "1e999999999", "0000-00-00T00:00:00", "9999-12-31T23:59:59", "9" * 60, 10**30, 2**80]),
    ),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
READERS: list[Any] = [
    wire.whole,
    wire.identity,
    wire.decimal,
    wire.quantity,
    wire.moment,
    wire.listed,
    wire.objects,
    lambda said: wire.code(said, most=10),
    lambda said: wire.label(said, most=10),
    lambda said: wire.evidence(said, most=10),
    wire.scalar,
    wire.shown,
]


@given(ANYTHING, some.sampled_from(READERS))
def test_any_value_passes_or_is_one_typed_error(said, read):
    with suppress(OddValueError):
        read(said)


@pytest.mark.parametrize("said", [True, None, 1.5, "7", -1, 2**63, Decimal(1), [1]])
def test_what_is_no_whole_number_of_a_column(said):
    with pytest.raises(OddValueError):
        wire.whole(said)


@pytest.mark.parametrize("said", ["1e999999999", Decimal("1e400000000"), "1" * 41, "NaN", "1_000", "１", "", "1,5", 10**99, True])
def test_what_is_no_number_costs_nothing(said):
    tracemalloc.start()
    with pytest.raises(OddValueError):
        wire.decimal(said)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("said", "units"), [("12.50", "12.5"), (-3, "-3"), ("0.30000000000000004", "0.3"), (Decimal("1.5"), "1.5"), (" 4 ", "4")]
)
def test_units_are_exact_to_a_thousandth_and_a_computers_noise_is_none(said, units):
    assert wire.quantity(said) == Decimal(units)


@pytest.mark.parametrize("said", ["0.0005", 10**11, 10**30, "-100000000000"])
def test_units_that_the_ledger_cannot_keep(said):
    with pytest.raises(OddValueError):
        wire.quantity(said)


def test_a_sku_is_never_mended_and_a_name_is():
    for said in ("A\0", "A\ud800", "A" * 11, ["A"], True):
        with pytest.raises(OddValueError):
            wire.code(said, most=10)
    assert (wire.code(None, most=10), wire.code(17, most=10), wire.code("", most=10)) == ("", "17", "")
    assert wire.label("A\0B\udfff" + "C" * 20, most=6) == "A\ufffdB\ufffdCC"
    assert (wire.label(None, most=10), wire.label({"a": 1}, most=10), wire.label(7, most=10)) == ("", "", "7")


def test_moments():
    assert wire.moment("2026-03-02T09:00:00") == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert wire.moment("2026-03-02T09:00:00+02:00") == datetime(2026, 3, 2, 7, tzinfo=UTC)
    for said in (None, "", "tomorrow", "0000-00-00T00:00:00", "1970-01-01T00:00:00", "0001-01-01T00:00:00+05:00", 20260302):
        with pytest.raises(OddValueError):
            wire.moment(said)


def test_a_list_out_of_which_php_took_something_is_a_list():
    assert wire.listed({"0": "a", "2": "b"}) == ["a", "b"]
    assert wire.objects([None, {"a": 1}, "x"]) == [{"a": 1}]
    with pytest.raises(OddValueError):
        wire.listed({"name": 1})


@pytest.mark.parametrize("text", ["1" * 5000, "1e99999999999999999999999", "1." + "0" * 5000])
def test_a_number_too_long_to_be_one_spoils_its_own_field_only(text):
    assert wire.json_parse(f'{{"a": {text}, "b": 1.50}}'.encode()) == {"a": text, "b": Decimal("1.50")}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"NaN", b"\xff", b"\xef\xbb\xbf[]"])
def test_what_is_no_clean_json_is_a_typed_error(body):
    with pytest.raises(ConnectorError, match="not in its own language"):
        Reply(200, {}, body, 0.1).json()


def test_an_error_names_the_thing_the_field_and_the_next_step():
    thing = Thing({"id": 7, "sku": "A\0"}, "shop", "product", "Correct it.")
    with pytest.raises(UnreadableError) as caught:
        thing.get("sku", lambda said: wire.code(said, most=10))
    error = caught.value
    assert error.message == (
        "The shop says “A\ufffd” for “sku” of product number 7, which can't be used: it holds a character that no text has."
    )
    assert (error.next_step, error.code) == ("Correct it.", "field_odd")
    with pytest.raises(UnreadableError, match="leaves out “name” of product number 7"):
        thing.get("name", wire.shown)


@given(some.text())
def test_the_words_of_every_error_can_be_kept(text):
    error = ConnectorError(text, code=text)
    (error.message + error.code + str(error)).encode()
    assert "\0" not in error.message + error.code + str(error)


@pytest.mark.parametrize(("odd", "of", "is_fault"), [(10, 10, False), (11, 110, False), (11, 109, True), (2000, 2000, True)])
def test_many_that_cannot_be_read_are_the_systems_fault(odd, of, is_fault):
    assert wire.is_systems_fault(odd=odd, of=of) is is_fault


@given(ANYTHING)
def test_what_is_kept_of_a_value_is_small_and_json(said):
    if not isinstance(said, Decimal):
        assert len(json.dumps(wire.scalar(said))) < 7000
