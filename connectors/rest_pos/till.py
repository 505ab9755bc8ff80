"""A till with an API, as the engine's `Till`."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.contract import (
    CheckReport,
    Context,
    Feed,
    FeedFate,
    Outcome,
    RowProblem,
    TillNote,
    TillPriceWrite,
    TillWrite,
    WriteResult,
)
from connectors.http.door import HttpDoor, Limits
from connectors.http.pacing import Pacer
from connectors.rest_pos.check import Checkup
from connectors.rest_pos.client import Client
from connectors.rest_pos.feeds import Statements, reasons_to_look
from connectors.rest_pos.settings import RestPosCredentials, RestPosSettings
from connectors.rest_pos.writes import LONGEST, Receipts, adjustments_send, prices_look_up, prices_send


class RestPosTill:
    """See `connectors.contract.Till`. Keep an instance for a whole run: its connections stay open."""

    def __init__(self, context: Context, *, sleep: Callable[[float], None] = time.sleep) -> None:
        settings: RestPosSettings = context.settings
        credentials: RestPosCredentials = context.credentials
        token = credentials.token.get_secret_value()
        self._settings, self._now = settings, context.now
        self.patience = timedelta(seconds=LONGEST + settings.read_timeout + settings.settle_seconds)
        self.pacer = Pacer(lanes=settings.lanes)
        door = HttpDoor(
            record=context.record,
            pacer=self.pacer,
            now=context.now,
            limits=Limits(connect=settings.connect_timeout, read=settings.read_timeout),
            ca_file=settings.ca_file,
            folders=context.folders,
            allow_private=context.allow_private,
            rest=context.rest,
            zone=context.zone,
            secrets=(token,),
            system="till",
            sleep=sleep,
        )
        self._client = Client(settings.url, token, door=door, page_limit=settings.page_limit)
        self._receipts = Receipts(self._client, self.pacer)

    def check(self) -> CheckReport:
        return Checkup(self._client, self._now).report()

    def feeds(self, *, claim: bool = True, since: Mapping[str, Any] | None = None) -> Iterator[Feed]:
        """At most one: everything, or what changed since the last feed in use. Looking and claiming are the same here: the
        till keeps no note of what we have read. Raises ConnectorError where it can't be read whole."""
        feed = Statements(self._client, self._settings, self._now).next(since)
        if feed is not None:
            yield feed

    def has_news(self, *, since: Mapping[str, Any] | None) -> bool:
        """One row of each list is asked for, at most."""
        return Statements(self._client, self._settings, self._now).has_next(since)

    def guard(self, feed: Feed, previous: Mapping[str, Any] | None) -> Sequence[str]:
        return reasons_to_look(feed, previous, self._settings)

    def settle(self, feed_identity: str, fate: FeedFate, problems: Sequence[RowProblem] = ()) -> None:
        """Nothing to file away: a feed that was not used is offered again, since nothing goes on from it."""

    def tidy(self) -> int:
        """Nothing was filed away."""
        return 0

    def release(self, feed_identity: str) -> bool:
        """Result: always. A held feed is offered with every `feeds`, with the till's latest numbers."""
        return True

    def send(self, writes: Sequence[TillWrite]) -> Sequence[WriteResult]:
        return adjustments_send(self._client, self.pacer, writes)

    def send_prices(self, writes: Sequence[TillPriceWrite]) -> Sequence[WriteResult]:
        return prices_send(self._client, self.pacer, writes)

    def look_up_prices(self, writes: Sequence[TillPriceWrite]) -> Mapping[UUID, Outcome]:
        """By what the till asks for each item now: it keeps no note of who told it."""
        return prices_look_up(self._client, self.pacer, writes)

    def note(self, note: TillNote) -> None:
        self._client.show(note)

    def look_up(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, Outcome]:
        return self._receipts.look_up(operation_ids)

    def acknowledged_at(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, datetime]:
        """Result: when each adjustment was booked, by the till's clock; what it does not tell is left out."""
        wanted = set(operation_ids)
        self._receipts.ask(one for one in wanted if one not in self._receipts.booked_at)
        return {one: at for one, at in self._receipts.booked_at.items() if one in wanted}
