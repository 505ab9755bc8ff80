"""What every test gets: a fixed moment, no way out to the network, and a printed reason where a database lacks something."""

import ipaddress
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


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


@pytest.fixture
def now() -> datetime:
    """A Monday morning in business hours, away from any change of clocks."""
    return NOW


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """WhiteNoise warns, once for each test client, while the folder of collected files is missing."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if connection.vendor == "postgresql":
        return
    reason = f"proves nothing on {connection.vendor}: run `make test-postgres`"
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.skip(reason=reason))
