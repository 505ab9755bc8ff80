"""Adjustments and prices: one request each, and what became of them."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from connectors.contract import Outcome, TillPriceWrite, TillWrite, WriteResult
from connectors.errors import ConfigError, ConnectorError, RetryableError, UnknownOutcomeError
from connectors.http.pacing import Pacer, paced_map
from connectors.rest_pos.client import Client

LONGEST = 120.0  # seconds; a run that is silent for longer may lose its turn, and nothing it learns would be written down


def adjustments_send(
    client: Client, pacer: Pacer, writes: Sequence[TillWrite], *, clock: Callable[[], float] = time.monotonic
) -> list[WriteResult]:
    """Result: one per write; never raises for what the till or the network did. Once the till can't be reached, or time is up,
    the rest is not sent: it is still owed, and goes out with the next run."""
    sending = _Sending(client.book, clock)
    return [result for _, result in paced_map(sending.one, writes, pacer=pacer)]


def prices_send(
    client: Client, pacer: Pacer, writes: Sequence[TillPriceWrite], *, clock: Callable[[], float] = time.monotonic
) -> list[WriteResult]:
    """Result: as of `adjustments_send`."""
    sending = _Sending(client.reprice, clock)
    return [result for _, result in paced_map(sending.one, writes, pacer=pacer)]


def prices_look_up(client: Client, pacer: Pacer, writes: Sequence[TillPriceWrite]) -> dict[UUID, Outcome]:
    """Result: APPLIED where the till asks just that price now, NOT_SENT where it asks another, UNKNOWN where nobody answers."""

    def one(write: TillPriceWrite) -> Outcome:
        try:
            return Outcome.APPLIED if client.item(write.sku).price == write.price else Outcome.NOT_SENT
        except ConnectorError:
            return Outcome.UNKNOWN

    return {write.operation_id: outcome for write, outcome in paced_map(one, writes, pacer=pacer)}


class _Sending:
    """One round of writes. `book` sends one; its result: False, it had been booked before. Used by several threads; that one of
    them learns a moment late that it is over does no harm."""

    def __init__(self, book: Callable[[Any], bool], clock: Callable[[], float]) -> None:
        self._book, self._clock = book, clock
        self._until = clock() + LONGEST
        self._over: ConnectorError | None = None

    def one(self, write: TillWrite | TillPriceWrite) -> WriteResult:
        if self._over is None and self._clock() > self._until:
            self._over = RetryableError("The till is slow.", next_step="The rest goes out with the next run.", code="time_up")
        if self._over is not None:
            return WriteResult(write.operation_id, Outcome.NOT_SENT, error=self._over)
        try:
            booked_now = self._book(write)
        except UnknownOutcomeError as error:
            return WriteResult(write.operation_id, Outcome.UNKNOWN, error=error)
        except (RetryableError, ConfigError) as error:
            if error.code != "rate_limit":  # the door has noted how long the till wants to be left alone
                self._over = error
            return WriteResult(write.operation_id, Outcome.NOT_SENT, error=error)
        except ConnectorError as error:
            return WriteResult(write.operation_id, Outcome.REJECTED, error=error)
        return WriteResult(write.operation_id, Outcome.APPLIED if booked_now else Outcome.ALREADY_APPLIED)


class Receipts:
    """What the till says of adjustments we sent before. `booked_at`: when, by its own clock, for those found so far."""

    def __init__(self, client: Client, pacer: Pacer) -> None:
        self._client, self._pacer = client, pacer
        self.booked_at: dict[UUID, datetime] = {}

    def look_up(self, operation_ids: Iterable[UUID]) -> dict[UUID, Outcome]:
        """Result: what became of each. NOT_SENT: the till does not know it now, and it is the till that says so."""
        found = self.ask(operation_ids)
        absent = [operation_id for operation_id, outcome in found.items() if outcome is Outcome.NOT_SENT]
        if absent and not self._is_the_till():
            return found | dict.fromkeys(absent, Outcome.UNKNOWN)
        return found

    def ask(self, operation_ids: Iterable[UUID]) -> dict[UUID, Outcome]:
        """Result: what the till knows of each now. After the first question that got no answer none is asked any more."""
        is_over = False

        def one(operation_id: UUID) -> Outcome:
            nonlocal is_over
            if is_over:
                return Outcome.UNKNOWN
            try:
                booked = self._client.booked(operation_id)
            except ConnectorError:
                is_over = True
                return Outcome.UNKNOWN
            if booked is None:
                return Outcome.NOT_SENT
            self.booked_at[operation_id] = booked.booked_at
            return Outcome.APPLIED

        return dict(paced_map(one, operation_ids, pacer=self._pacer))

    def _is_the_till(self) -> bool:
        """Another server would know of none of our adjustments either."""
        try:
            self._client.locations()
        except ConnectorError:
            return False
        return True
