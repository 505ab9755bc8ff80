"""What one run carries from phase to phase."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.contract import Store, Till
from connectors.errors import ConnectorError
from connectors.leases import Lease
from connectors.models import Connection
from connectors.services import CallLog
from sync.limits import limits
from sync.models import RunProblem, SyncRun
from sync.prices.rules import PriceTurn

KEEP_TURN = timedelta(seconds=30)  # a fraction of the lease's length


class Progress(Protocol):
    """How a run shows that it is getting on. `total` 0: not known yet."""

    def __call__(self, phase: SyncRun.Phase, done: int, total: int) -> None: ...


def silent(phase: SyncRun.Phase, done: int, total: int) -> None:
    """Progress for nobody."""


@dataclass(slots=True)
class Side:
    """One outside system in a run's hands."""

    connection: Connection
    connector: Any  # a Store or a Till
    lease: Lease
    log: CallLog

    @property
    def store(self) -> Store:
        connector: Store = self.connector
        return connector

    @property
    def till(self) -> Till:
        connector: Till = self.connector
        return connector


@dataclass(slots=True)
class RunContext:
    """One run: its row, the systems it works on, its clock, and what it has come across so far."""

    run: SyncRun
    store: Side
    tills: list[Side]
    now: Callable[[], datetime]
    progress: Progress = silent
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random  # 0 to 1: spreads what is tried again over time
    may_wait: bool = True  # may this run wait for settle times, or leave that to the next one?
    match_again: bool = False  # look for partners also where nothing is new: a person asks
    previewed: Mapping[str, int] = field(default_factory=dict)  # what it counted then: so much passes the guards, and no more
    counts: Counter[str] = field(default_factory=Counter)
    changed_items: set[int] = field(default_factory=set)
    changed_listings: set[int] = field(default_factory=set)
    turn_kept_at: datetime | None = None
    held_for: list[str] = field(default_factory=list)
    blamed: Side | None = None  # the system whose failure ended the run
    failing: dict[int, ConnectorError] = field(default_factory=dict)  # by connection: why it takes no writes
    problems: list[RunProblem] = field(default_factory=list)
    prices: PriceTurn | None = None  # how the store's prices are synced in this run, if they are

    @property
    def sides(self) -> list[Side]:
        return [self.store, *self.tills]

    @property
    def run_row(self) -> SyncRun | None:
        """The run's row, for rows that point at it; None where there is none: a dry run, and orders booked between runs."""
        return self.run if self.run.pk else None

    @property
    def writes_nothing(self) -> bool:
        """A dry run, or a store in observe mode."""
        return self.run.dry_run or not self.store.connection.is_live

    def believes(self, moment: datetime) -> bool:
        """May something in the store be dated so? Not far ahead of our clock, or of the store's own."""
        latest = self.now() + limits().dated_ahead
        return moment <= latest or moment <= latest + self.store.store.clock_ahead

    def beat(self) -> None:
        """Keep the turn on every system, and write down what was asked of them. Raises LeaseLostError."""
        self.turn_kept_at = now = self.now()
        for side in self.sides:
            side.lease.beat(now=now)
            side.log.flush()

    def walked(self, done: int, total: int) -> None:
        """A walk of the shop has come so far: show it, and keep the turn during a long one."""
        self.progress(SyncRun.Phase.STORE, done, total)
        if self.run.pk and self.turn_kept_at and self.now() > self.turn_kept_at + KEEP_TURN:
            self.beat()

    def enter(self, phase: SyncRun.Phase) -> None:
        """Checkpoint: this phase begins. A run that is killed shows where, and the next one takes it up."""
        self.run.phase = phase
        self.run.counts = dict(self.counts)
        if self.run.pk and not self.run.dry_run:
            self.beat()  # first: once the turn is lost, the row is the newer run's
            self.run.save(update_fields=["phase", "counts"])
        self.progress(phase, 0, 0)

    @contextmanager
    def blaming(self, side: Side) -> Iterator[None]:
        """What goes wrong in here is this system's failure."""
        try:
            yield
        except ConnectorError:
            self.blamed = side
            raise

    def problem(
        self, *, side: Side, subject: str, error: ConnectorError, line: int | None = None, fails_run: bool = True
    ) -> None:
        """Note one thing that could not be done; the rest goes on."""
        self.problems.append(
            RunProblem(
                connection=side.connection,
                subject=subject[:250],
                line=line,
                code=error.code,
                message=error.message,
                next_step=error.next_step,
                fails_run=fails_run,
            )
        )

    def problems_save(self) -> None:
        """Write down the problems noted so far."""
        rows, self.problems = self.problems, []
        for row in rows:
            row.run = self.run
            self.counts["failures" if row.fails_run else "notes"] += 1
        RunProblem.objects.bulk_create(rows)
