"""Names of time zones, as people and intruders write them."""

import zoneinfo

import pytest
from django.core.exceptions import ValidationError

from connectors.models import time_zone_valid
from kit.zones import zone_is_known


def test_every_zone_of_this_machine_is_known():
    known = zoneinfo.available_timezones() - {"localtime"}  # a link on some machines
    assert [name for name in known if not zone_is_known(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        *["Mars", "", "Europe", "../../etc/passwd", "/etc/passwd", "Europe/../Europe/Vienna", "x" * 5000, "a\0b", "tzdata.zi"],
        *["europe/vienna", "Europe/Vienna\n", "localtime", "posix/Europe/Vienna", "posixrules"],
    ],
)
def test_anything_else_is_none_and_is_no_error_of_ours(name):
    assert not zone_is_known(name)
    with pytest.raises(ValidationError, match="is no time zone"):
        time_zone_valid(name)
