"""One clock for everything: the engine, the stores, the till, and the names of its files."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class SimClock:
    """Moves only when told to. `during_sleep` is called with each nap of the engine: the world goes on meanwhile."""

    def __init__(self) -> None:
        self.at = START
        self.during_sleep: Callable[[float], None] = lambda _seconds: None

    def now(self) -> datetime:
        return self.at

    def tick(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        self.tick(seconds)
        self.during_sleep(seconds)
