"""Shops that are being set up."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.sync.shop import Shop, opened


@pytest.fixture
def open_shop(tmp_path: Path, db: None) -> Iterator[Callable[..., Shop]]:
    """Make a shop; see `Shop` for the options."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(opened(tmp_path / "drop", **options))


@pytest.fixture
def someone(db: None) -> Callable[[str], Client]:
    """Result: a client of a person with that role; "" has none."""

    def client_of(role: str) -> Client:
        person = User.objects.create_user(role or "nobody", is_staff=True)
        if role:
            person.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return client_of
