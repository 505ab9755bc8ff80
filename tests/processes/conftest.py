"""These start whole installations and kill them: `make test-processes`, not `make test`."""

import os
from pathlib import Path

import pytest

collect_ignore_glob = [] if os.environ.get("EVENSTOCK_TEST_PROCESSES") else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.real_clock("their databases, their brokers and the disk have no other"))
