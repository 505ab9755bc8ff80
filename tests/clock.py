"""The clock of every test. It stands still, so that no test can tell on which day, or how slowly, it is run.

It is set around the whole of a test, from its first fixture to its last: what a session or a module shares is made and undone
inside some test too, and so in the same time. Everything in this process reads it, threads included: the sandbox's servers,
Django, leases, sessions, logins that are locked out. Which moment it shows:

- `NOW` to a test that takes the fixture `now`: its dates are written out.
- To any other the moment in `EVENSTOCK_TEST_TODAY`, or `NOW` where that isn't set. Such a test passes on any day.

A test, or its module, may say that it needs more:

- `@pytest.mark.ticking`: the clock runs on from there, one for the whole session; for what measures by it, or shares it with
  processes.
- `@pytest.mark.real_clock(reason)`: the machine's own. For processes with the product's settings, whose files have the times that
  the file system gives them. What such a test compares is the same on every day.

Processes with `tests.settings` get the date of the test that started them, and run on from there: `begin_here`.

Untouched are `time.monotonic`, `time.perf_counter` and `time.sleep`: waits, pytest's timeouts and Hypothesis's deadlines are as
long as ever. So are the times that the file system gives to files: a till's export needs one of the test's own (`dated`). And so
is the time by which OpenSSL judges a certificate: the sandbox's are good for thirty years.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TODAY = "EVENSTOCK_TEST_TODAY"
AHEAD = "EVENSTOCK_TEST_CLOCK_AHEAD"  # by how many seconds a test's clock is before the machine's; set for its children
HANDS = pytest.StashKey[time_machine.Traveller]()

_BEGAN, _BEGAN_AT = time.time(), time.monotonic()  # nobody has set the clock yet


def _real_time() -> float:
    """Result: the machine's own time, in seconds, whatever the clock shows."""
    return _BEGAN + time.monotonic() - _BEGAN_AT


def today(said: str | None = None) -> datetime:
    """Result: the moment that `EVENSTOCK_TEST_TODAY` says, as `2027-01-31` (half past nine) or `2027-01-31T23:50`, in UTC."""
    said = os.environ.get(TODAY, "") if said is None else said
    if not said:
        return NOW
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise pytest.UsageError(f"{TODAY} is “{said}”: give a day, such as 2027-01-31, or 2027-01-31T23:50.") from None
    if len(said) == len("2027-01-31"):
        moment = datetime.combine(moment, NOW.time())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@contextmanager
def showing(at: float, *, tick: bool = False) -> Iterator[time_machine.Traveller]:
    """The clock shows that moment (in seconds, so that the machine keeps its time zone), and our children are told of it."""
    with pytest.MonkeyPatch.context() as children, time_machine.travel(at, tick=tick) as hands:
        children.setenv(AHEAD, str(at - _real_time()))
        yield hands


@contextmanager
def clock_of(item: pytest.Item) -> Iterator[None]:
    """The clock that a test asks for, while it is set up, runs and is cleaned away."""
    if real := item.get_closest_marker("real_clock"):
        if not real.args:
            raise pytest.UsageError(f"{item.nodeid}: say why it needs the real clock.")
        yield
        return
    at = (NOW if "now" in getattr(item, "fixturenames", ()) else today()).timestamp()
    if tick := item.get_closest_marker("ticking") is not None:
        at += _real_time() - _BEGAN
    with showing(at, tick=tick) as hands:
        item.stash[HANDS] = hands
        yield


def dated(path: Path) -> Path:
    """The file was written at the time that the clock shows."""
    os.utime(path, (time.time(),) * 2)
    return path


def begin_here() -> None:
    """In a process that a test started: show that test's time, and run on."""
    if ahead := os.environ.get(AHEAD):
        time_machine.travel(_real_time() + float(ahead), tick=True).start()
