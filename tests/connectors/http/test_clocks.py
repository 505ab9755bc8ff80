"""Another system's clock, by the Date of its answers."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.http.clocks import clock_ahead

NOW = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)
HALF = timedelta(milliseconds=500)


def test_a_clock_that_is_off_is_told_by_how_much():
    assert clock_ahead("Mon, 02 Mar 2026 08:10:00 GMT", now=NOW) == timedelta(minutes=10) + HALF
    assert clock_ahead("Mon, 02 Mar 2026 07:50:00 GMT", now=NOW) == -timedelta(minutes=10) + HALF


@pytest.mark.parametrize("said", ["Mon, 02 Mar 2026 08:00:04 GMT", "Mon, 02 Mar 2026 07:59:55 GMT"])
def test_the_way_of_an_answer_is_no_difference(said):
    assert clock_ahead(said, now=NOW) == timedelta(0)


@pytest.mark.parametrize("said", [None, "", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 32 Mar 2026 08:00:00 GMT"])
def test_what_cant_be_used_says_nothing(said):
    assert clock_ahead(said, now=NOW) == timedelta(0)
