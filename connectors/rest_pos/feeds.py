"""What a till with version numbers has to say, as feeds: once everything, then what changed since.

The till keeps nothing for us, and neither do we: where to go on from is written into each feed's figures, and the engine hands
us those of the last feed it used. A feed that is held, or broken off by a crash, is thus offered again until it is used.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import DEFERRED_FROM, Feed, RowProblem, TillReading
from connectors.errors import PartialReadError, UnreadableError
from connectors.guards import emptied_too_many, gone_too_many, in_stock_count, too_many
from connectors.rest_pos.client import Client
from connectors.rest_pos.mapping import UNUSED, ItemRow, LevelRow, item_facts, items_from, levels_from, moment_from
from connectors.rest_pos.settings import RestPosSettings
from connectors.wire import is_systems_fault


@dataclass(frozen=True, slots=True)
class Figures:
    """What is kept of a feed. `number` counts feeds, so that no two begin at the same place.

    `items` and `in_stock` are those of the last whole list (SKU × location), `emptied` how many shelves this feed shows empty.
    """

    till: str
    number: int
    levels_until: int
    items_until: int
    true_at: datetime
    whole_at: datetime
    items: int
    in_stock: int
    emptied: int = 0
    is_whole: bool = False  # everything was read, not what changed
    deferred_from: int = 0

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Figures | None":
        """Result: the figures; None where none were kept, or by another kind of till."""
        try:
            return (
                cls(
                    till=str(kept["till"]),
                    number=int(kept["number"]),
                    levels_until=int(kept["levels_until"]),
                    items_until=int(kept["items_until"]),
                    true_at=moment_from(kept["true_at"]),
                    whole_at=moment_from(kept["whole_at"]),
                    items=int(kept["items"]),
                    in_stock=int(kept["in_stock"]),
                    emptied=int(kept["emptied"]),
                    is_whole=bool(kept.get("is_whole")),
                    deferred_from=int(kept.get(DEFERRED_FROM, 0)),
                )
                if kept
                else None
            )
        except (KeyError, TypeError, ValueError):
            return None

    def as_json(self) -> dict[str, Any]:
        return {
            "till": self.till,
            "number": self.number,
            "levels_until": self.levels_until,
            "items_until": self.items_until,
            "true_at": self.true_at.isoformat(),
            "whole_at": self.whole_at.isoformat(),
            "items": self.items,
            "in_stock": self.in_stock,
            "emptied": self.emptied,
            "is_whole": self.is_whole,
        }

    @property
    def levels_from(self) -> int:
        """The version to read levels after: a reading that could not be used yet comes again."""
        return min(self.levels_until, self.deferred_from - 1) if self.deferred_from else self.levels_until


class Statements:
    """Makes feeds of what one till says."""

    def __init__(self, client: Client, settings: RestPosSettings, now: Callable[[], datetime]) -> None:
        self._client, self._settings, self._now = client, settings, now

    def next(self, kept: Mapping[str, Any] | None) -> Feed | None:
        """Result: everything, or what changed since the last feed in use, whose figures were `kept`; None: nothing did. Raises
        ConnectorError; nothing of a reading that breaks off is used.

        It is true at the moment we began to ask, by our own clock, whatever the till's says: all our writes were sent before
        then, or will be sent after the feed has been used (ledger.md §3).
        """
        began, since = self._now(), Figures.from_json(kept)
        is_whole = since is None or self._whole_is_due(since, began)
        identity = _identity(kept, self._settings.url, is_whole=is_whole)
        if since is None or is_whole:
            return self._whole(since, began, identity)
        return self._changes(since, began, identity)

    def has_next(self, kept: Mapping[str, Any] | None) -> bool:
        """Would there be a feed? Raises ConnectorError."""
        since = Figures.from_json(kept)
        if since is None or self._whole_is_due(since, self._now()):
            return True
        return self._client.has_changes("levels", after=since.levels_from) or self._client.has_changes(
            "items", after=since.items_until
        )

    def _whole_is_due(self, since: Figures, now: datetime) -> bool:
        every = timedelta(hours=self._settings.complete_every_hours)
        return since.till != self._settings.url or now - since.whole_at >= every

    def _whole(self, since: Figures | None, began: datetime, identity: str) -> Feed:
        # Levels first: the item of each is then surely in the list of items.
        levels, items = self._client.changes("levels", after=0), self._client.changes("items", after=0)
        if not items.rows:
            raise PartialReadError(
                "The till shows no items at all.", next_step="Nothing was used. Check that it is the right till.", code="empty"
            )
        problems: list[RowProblem] = []
        by_sku = items_from(items.rows, problems)
        has_nameless = any(not problem.sku for problem in problems)  # then nobody can tell which item is gone, and which unread
        by_place = levels_from(levels.rows, problems)
        _doubt(problems, of=len(items.rows) + len(levels.rows))
        known = by_sku.keys() | {problem.sku for problem in problems}
        lost = sorted({sku for sku, _ in by_place} - known)
        if lost and not has_nameless:
            raise PartialReadError(
                f"The till shows stock of “{lost[0]}”, but no such item.", next_step="Nothing was used; we read it again."
            )
        readings = self._readings(by_place, by_sku)
        figures = Figures(
            till=self._settings.url,
            number=since.number + 1 if since else 1,
            levels_until=levels.until,
            items_until=items.until,
            true_at=began if since is None else max(began, since.true_at),
            whole_at=began,
            items=len(readings),
            in_stock=in_stock_count(readings),
            is_whole=True,
        )
        return Feed(
            identity=identity,
            name=f"Whole stock list of {len(by_sku):,} items",
            true_at=figures.true_at,
            readings=readings,
            problems=problems,
            rows=len(levels.rows),
            is_complete=not has_nameless,
            figures=figures.as_json(),
        )

    def _changes(self, since: Figures, began: datetime, identity: str) -> Feed | None:
        levels = self._client.changes("levels", after=since.levels_from)
        items = self._client.changes("items", after=since.items_until)
        if levels.until == since.levels_from and items.until == since.items_until:
            return None  # nothing, or rows that stand nowhere: the whole list names them
        problems: list[RowProblem] = []
        by_sku, by_place = items_from(items.rows, problems), levels_from(levels.rows, problems)
        _doubt(problems, of=len(items.rows) + len(levels.rows))
        readings = self._readings(by_place, by_sku)
        figures = Figures(
            till=since.till,
            number=since.number + 1,
            levels_until=max(levels.until, since.levels_until),
            items_until=items.until,
            true_at=max(began, since.true_at),  # the versions say that it is newer, even where our clock was set back
            whole_at=since.whole_at,
            items=since.items,
            in_stock=since.in_stock,
            emptied=sum(1 for level in by_place.values() if level.on_hand <= 0),
        )
        return Feed(
            identity=identity,
            name=f"Stock changes up to number {max(figures.levels_until, figures.items_until)}",
            true_at=figures.true_at,
            readings=readings,
            problems=problems,
            rows=len(levels.rows) + len(items.rows),
            is_complete=False,
            figures=figures.as_json(),
        )

    def _readings(self, levels: Mapping[tuple[str, str], LevelRow], items: Mapping[str, ItemRow]) -> list[TillReading]:
        """Result: one for each level, and one without a quantity for each item that came without a level."""
        facts = {sku: item_facts(item) for sku, item in items.items()}
        readings = [
            TillReading(
                sku=level.sku,
                location=level.location,
                on_hand=level.on_hand,
                version=level.version,
                describes_item=level.sku in facts,
                **facts.get(level.sku, {}),
            )
            for level in levels.values()
        ]
        bare = items.keys() - {sku for sku, _ in levels}
        if bare:
            place = self._client.locations()[0].name
            readings += [TillReading(sku=sku, location=place, on_hand=None, **facts[sku]) for sku in items if sku in bare]
        return readings


def _doubt(problems: Sequence[RowProblem], *, of: int) -> None:
    """Raises UnreadableError where so many of the rows can't be used that it is hardly their own fault."""
    unused = [problem for problem in problems if problem.code in UNUSED]
    if is_systems_fault(odd=len(unused), of=of):
        raise UnreadableError(
            f"{len(unused)} of {of} rows that the till shows can't be used. {unused[0].message}",
            next_step="So many can't all be wrong: ask the till's maker what has changed in its API. Nothing of it was used.",
            code=unused[0].code,
        )


def _identity(kept: Mapping[str, Any] | None, url: str, *, is_whole: bool) -> str:
    """Result: where the feed goes on from, not what it says. Until it is used, it is the same feed with later numbers: one that
    is held can be released while the shop goes on selling. Once it is used, nothing begins there again."""
    begins = ["whole" if is_whole else "changes", url, dict(kept) if kept else None]
    return hashlib.sha256(json.dumps(begins, sort_keys=True).encode()).hexdigest()


def reasons_to_look(feed: Feed, previous: Mapping[str, Any] | None, settings: RestPosSettings) -> list[str]:
    """Result: why a person should look before the feed is used, in words; empty: go on (ledger.md §8)."""
    now, before = Figures.from_json(feed.figures), Figures.from_json(previous)
    if now is None or before is None:
        return []
    if not now.is_whole:
        if too_many(now.emptied, before.in_stock, settings.max_zeroed_percent, settings.guard_floor):
            reason = (
                f"{now.emptied:,} shelves are shown empty at once, of {before.in_stock:,} that had stock: more than the "
                f"{settings.max_zeroed_percent} % you allow. Check the till's list against a few shelves."
            )
            return [reason]
        return []
    reasons = []
    if gone := gone_too_many(before, now, settings):
        reasons.append(
            f"The till shows {now.items:,} items where it showed {before.items:,}: {gone:,} are gone, more than the "
            f"{settings.max_shrink_percent} % you allow. Check that they were deleted on purpose."
        )
    if emptied := emptied_too_many(before, now, settings):
        reasons.append(
            f"{now.in_stock:,} items have stock where {before.in_stock:,} had: {emptied:,} shelves went empty, more than "
            f"the {settings.max_zeroed_percent} % you allow. Check the till's list against a few shelves."
        )
    return reasons
