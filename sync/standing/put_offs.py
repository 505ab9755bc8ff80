"""Readings that are put off in a row (ledger.md §3: after so many a person is asked)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.db.models import F

from connectors.models import Connection
from sync.limits import limits
from sync.models import PutOff


class PutOffs:
    """The numbers of one system that are put off, while it is read once more. Costs a query for each chunk only where something
    is, or was, put off."""

    def __init__(self, connection: Connection, target: Literal["level_id", "listing_id"]) -> None:
        self._connection, self._target = connection, target
        self._open = set(
            PutOff.objects.filter(connection=connection, **{f"{target}__isnull": False}).values_list(target, flat=True)
        )

    def note(self, *, put_off: Mapping[int, str], used: Collection[int], at: datetime) -> None:
        """A reading, true at `at`, was put off for these (id → why) and used for those. The same reading counts once."""
        known = self._open & put_off.keys()
        if known:
            again = PutOff.objects.filter(connection=self._connection, last_at__lt=at, **{f"{self._target}__in": known})
            again.update(times=F("times") + 1, last_at=at)
        fresh = [
            PutOff(connection=self._connection, since=at, last_at=at, why=why[:200], **{self._target: pk})
            for pk, why in put_off.items()
            if pk not in known
        ]
        PutOff.objects.bulk_create(fresh)
        self._open |= put_off.keys()
        if over := self._open.intersection(used):
            PutOff.objects.filter(connection=self._connection, **{f"{self._target}__in": over}).delete()
            self._open -= over


@dataclass(frozen=True, slots=True)
class Asked:
    """Why a person should look at an item, or at a listing: by id, in words."""

    items: dict[int, str] = field(default_factory=dict)
    listings: dict[int, str] = field(default_factory=dict)


def put_offs_to_ask(*, connections: Iterable[Connection], now: datetime) -> Asked:
    """Result: what has been put off so often, and for so long, that a person should look. Both: a till that exports each minute
    puts off often, and one that exports each night puts off for long, and neither means anything by itself."""
    late = PutOff.objects.filter(
        connection__in=list(connections), times__gte=limits().ask_after_times, since__lt=now - limits().ask_after
    )
    asked = Asked()
    for row in late.select_related("level"):
        said = f"was put off {row.times} times since {row.since:%Y-%m-%d %H:%M} UTC: {row.why}."
        if row.level:
            asked.items[row.level.item_id] = (
                f"The till's number {said} Look whether its last adjustment was booked; count the shelf if in doubt."
            )
        elif row.listing_id:
            asked.listings[row.listing_id] = f"The shop's number {said} Look whether it is right; a quiet moment settles it."
    return asked
