"""Jobs run on shops of the engine's tests."""

from tests.sync.conftest import open_shop

__all__ = ["open_shop"]
