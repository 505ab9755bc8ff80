"""Shops for tests of the engine; see `shop.py`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sync.shop import Shop, opened


@pytest.fixture
def open_shop(tmp_path: Path, db: None) -> Iterator[Callable[..., Shop]]:
    """Make a shop; see `Shop` for the options."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(opened(tmp_path / "drop", **options))
