"""What every test gets: a clock that stands still, no way out to the network, and a reason where a database lacks something."""

import ipaddress
import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.clock import HANDS, NOW, TODAY, clock_of, showing, today
from tests.databases import database_made


class OutsideNetworkError(RuntimeError):
    """A test reached for another machine. Not an OSError: code under test would take that for a network fault."""


def _stay_on_this_machine(event: str, arguments: tuple) -> None:
    """Python tells this of every connect and sendto, whichever library makes them."""
    if event not in {"socket.connect", "socket.sendto"}:
        return
    family, address = arguments[0].family, arguments[1]
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return
    host = str(address[0])
    try:
        local = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise OutsideNetworkError(f"A test may not talk to {host}.")


sys.addaudithook(_stay_on_this_machine)


def pytest_report_header() -> str | None:
    moment = today()
    return None if moment == NOW else f"{TODAY}: the clock of tests shows {moment:%A %d %B %Y, %H:%M} UTC"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    with showing(today().timestamp()):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with clock_of(item):
        return (yield)


@pytest.fixture
def now() -> datetime:
    """A Monday morning in business hours, away from any change of clocks: what the clock shows to a test that takes this."""
    return NOW


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> time_machine.Traveller:
    """The hands of this test's clock: `clock.shift(60)` lets a minute pass, for everything in this process."""
    return request.node.stash[HANDS]


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, django_db_modify_db_settings: None
) -> Iterator[None]:
    """pytest-django's, with a copy of a migrated database in place of the migrations, which take ten seconds each time."""
    with ExitStack() as made:
        with django_db_blocker.unblock():
            made.enter_context(database_made())
        yield
        with django_db_blocker.unblock():
            made.close()


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """WhiteNoise warns, once for each test client, while the folder of collected files is missing."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On SQLite, what proves something only on Postgres is skipped with its reason. On Postgres, what asks no database is left
    out: it ran on SQLite, and would say the same."""
    lost = [item.nodeid for item in items if _is_for_every_database(item) and not _asks_a_database(item)]
    if lost:
        raise pytest.UsageError(f"These would never run on Postgres, since they take no database: {lost}")
    if connection.vendor == "postgresql":
        pure = {item for item in items if not _asks_a_database(item)}
        config.hook.pytest_deselected(items=list(pure))
        items[:] = [item for item in items if item not in pure]
        return
    reason = f"proves nothing on {connection.vendor}: run `make test-postgres`"
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.skip(reason=reason))


def _asks_a_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "django_db_setup", "live_server", "admin_client", "databases"}
    return bool(item.get_closest_marker("django_db") or fixtures.intersection(getattr(item, "fixturenames", ())))


def _is_for_every_database(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("every_database") or item.get_closest_marker("postgres"))
