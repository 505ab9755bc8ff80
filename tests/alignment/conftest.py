"""A real shop's till and store, and the alignment its owner drew up."""

from pathlib import Path

import pytest


@pytest.fixture
def hydro() -> Path:
    return Path(__file__).parent / "hydro"
