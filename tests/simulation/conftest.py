"""The simulation's worlds: one bench for each file of tests; and on Postgres only those that are marked for it, since a statement
takes longer there. What only Postgres can prove (locks) has tests of its own as well."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.simulation.bench import Bench
from tests.simulation.runner import bench


@pytest.fixture(scope="module")
def made() -> Iterator[Bench]:
    with bench() as made:
        yield made


@pytest.fixture(autouse=True)
def enough_on_postgres(request: pytest.FixtureRequest) -> None:
    """Skip what was not chosen for Postgres, and say so."""
    if connection.vendor != "sqlite" and not request.node.get_closest_marker("every_database"):
        pytest.skip("on Postgres a few worlds are enough: run make test, or make simulate")
