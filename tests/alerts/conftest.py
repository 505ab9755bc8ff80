"""What the tests of alerts share."""

import pytest

from tests.alerts.cases import Shop


@pytest.fixture
def shop(now, db) -> Shop:
    return Shop(now)
