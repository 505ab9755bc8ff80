"""Each night: what is old leaves the database for files, and a till's folder is tidied up. Never the ledger, conflicts or orders:
by these a webhook that comes back after a year is known to be old."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from connectors.contract import Side
from connectors.errors import ConfigError, ConnectorError
from connectors.leases import LeaseHeldError
from connectors.models import Connection
from connectors.selectors import connections_of
from kit.offers import offers
from sync.limits import limits
from sync.turns.run import side_opened
from sync.upkeep.archive import ArchiveError, Kind, kind_archive, leftovers_remove

logger = logging.getLogger(__name__)
MOST = 100_000  # rows of a kind at a time; the rest goes the next day, so that nobody waits for the database
LEAST = timedelta(days=7)  # a reading asks for the writes of lately, a figure for those of two days


def housekeep(*, now: Callable[[], datetime]) -> dict[str, int]:
    """Archive or forget what is old enough, in small transactions. Result: how much of each. A till at which a sync works is left
    for the next day; one that can't be reached stops nothing."""
    files = sum(_till_tidy(till, now) for till in connections_of(side=Side.POS))  # first: it makes room for what follows
    return {**rows_archive(older_than=limits().keep, now=now()), "files": files}


def rows_archive(*, older_than: timedelta, now: datetime) -> dict[str, int]:
    """Archive rows of all kinds that are older. Result: how many of each. Raises ConfigError for what the engine still needs;
    ArchiveError, or OSError where the files can't be written, once the other kinds have had their turn: of that kind nothing
    was deleted."""
    leftovers_remove(now=now)
    done: dict[str, int] = {}
    failed: list[ArchiveError | OSError] = []
    for kind in _kinds(older_than, now):
        try:
            done[kind.name] = kind_archive(kind=kind, now=now, most=MOST)
        except (ArchiveError, OSError) as error:
            logger.exception("“%s” could not be archived.", kind.name)
            failed.append(error)
    if failed:
        raise failed[0]
    return done


def rows_to_archive(*, older_than: timedelta, now: datetime) -> dict[str, int]:
    """Result: how many rows of each kind could go now. Raises ConfigError for what the engine still needs."""
    return {kind.name: kind.free.count() for kind in _kinds(older_than, now)}


def _kinds(older_than: timedelta, now: datetime) -> Iterator[Kind]:
    """Result: what each app offers; those that point to others first."""
    if older_than < LEAST:
        raise ConfigError(f"What is younger than {LEAST.days} days is still asked for.", next_step="Name more days.")
    for kinds in offers("retention", "kinds"):
        yield from kinds(before=now - older_than)


def _till_tidy(till: Connection, now: Callable[[], datetime]) -> int:
    try:
        with side_opened(till, now) as side:
            return side.till.tidy()
    except LeaseHeldError:
        return 0
    except ConnectorError as error:
        logger.warning("“%s” could not be tidied up: %s", till.name, error)
        return 0
