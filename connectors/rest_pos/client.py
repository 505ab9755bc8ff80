"""The wire to a till's API, through our door."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel
from pydantic import ValidationError as Invalid

from connectors.contract import TillNote, TillPriceWrite, TillWrite
from connectors.errors import ConfigError, ConnectorError, RejectedError
from connectors.http.door import Ask, HttpDoor
from connectors.http.reply import Reply
from connectors.money import price_text
from connectors.rest_pos.mapping import Booked, Envelope, ItemRow, Place, adjustment_json, places_from, version_of
from connectors.wire import label

Model = TypeVar("Model", bound=BaseModel)

_MOST_ROWS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Changes:
    """Every row of a list that changed after a version. `until`: the latest version among them, to go on from.

    It is the version of a row that was seen, never what the till says of itself: a row that got lost on the way comes again.
    """

    rows: list[dict[str, Any]]
    until: int
    as_of: datetime


class Client:
    """Requests to one till. What comes back is parsed; anything else is an error that says what may be done next."""

    def __init__(self, url: str, token: str, *, door: HttpDoor, page_limit: int) -> None:
        self._url, self._door, self._limit = url, door, page_limit
        self._headers = {"Accept": "application/json", "User-Agent": "Evenstock", "Authorization": f"Bearer {token}"}

    @property
    def is_secure(self) -> bool:
        """Nobody on the way can read the token."""
        return self._url.startswith("https://")

    def locations(self) -> list[Place]:
        """Result: every place that holds stock and can be read, the default one first; at least one."""
        reply = self._get("locations", {})
        said = _good(reply).json()
        rows = said.get("data") if isinstance(said, dict) else None
        places = places_from(rows) if isinstance(rows, list) else []
        if not places:
            raise reply.unreadable()
        return sorted(places, key=lambda place: not place.is_default)

    def changes(self, what: str, *, after: int) -> Changes:
        """Result: the whole of a list after a version, page by page; a row that changed meanwhile comes more than once. Raises
        RetryableError for a page that can't be so."""
        rows: list[dict[str, Any]] = []
        while True:
            page, seen = self._page(what, after, self._limit)
            rows.extend(page.data)
            after = seen[-1] if seen else after
            if not page.has_more:
                return Changes(rows, after, page.as_of)
            if len(rows) > _MOST_ROWS:
                raise ConfigError(
                    f"The till shows more than {_MOST_ROWS:,} rows of {what}.",
                    next_step="Check that this is the right till.",
                    code="too_many_rows",
                )

    def has_changes(self, what: str, *, after: int) -> bool:
        """Did anything in a list change after a version?"""
        return bool(self._page(what, after, 1)[1])

    def first(self, what: str) -> Envelope:
        """Result: the beginning of a list."""
        return self._page(what, 0, 1)[0]

    def book(self, write: TillWrite) -> bool:
        """Book an adjustment. Result: it was booked now; False: it had been before. Sent once."""
        reply = self._post(adjustment_json(write))
        booked = _as(Booked, _good(reply).json(), reply)
        if reply.status not in (200, 201) or booked.operation_id != write.operation_id:
            raise reply.unreadable()
        return reply.status == 201

    def reprice(self, write: TillPriceWrite) -> bool:
        """Tell an item's retail price. Result: always True; telling it again changes nothing. Sent once. Raises RejectedError
        where the till keeps another."""
        text = price_text(write.price, decimals=write.decimals)
        reply = self._post({"price": text}, to=f"items/{quote(write.sku, safe='')}/price", method="PATCH")
        item = _as(ItemRow, _good(reply).json(), reply)
        if item.price != write.price:
            raise RejectedError(
                f"The till asks {item.price} for it instead of the {text} we sent.",
                next_step="Look at the item at the till.",
                code="price_not_taken",
            )
        return True

    def item(self, sku: str) -> ItemRow:
        """Result: one item as it is now."""
        reply = self._get(f"items/{quote(sku, safe='')}", {})
        return _as(ItemRow, _good(reply).json(), reply)

    def book_nothing(self) -> None:
        """Ask for an adjustment that lacks everything: a till that lets us adjust says it can't be booked (422), and nothing
        is. Raises ConnectorError where it says something else."""
        reply = self._post({})
        if reply.status != 422:
            _good(reply)
            raise reply.unreadable()

    def booked(self, operation_id: UUID) -> Booked | None:
        """Result: what was booked under that operation id; None: the till knows of nothing."""
        reply = self._get(f"adjustments/{operation_id}", {})
        if reply.status == 404 and _said(reply).get("code"):
            return None
        booked = _as(Booked, _good(reply).json(), reply)
        if booked.operation_id != operation_id:
            raise reply.unreadable()
        return booked

    def show(self, note: TillNote) -> None:
        """Show a note to the staff, once for its operation id."""
        body = {
            "operation_id": str(note.operation_id),
            "title": note.title[:120],
            "lines": [line[:200] for line in note.lines][:50],
        }
        reply = self._post(body, to="notes")
        if reply.status == 404:
            raise ConfigError("This till can't show notes.", next_step="Choose another channel for its alerts.", code="no_notes")
        _good(reply)

    def _page(self, what: str, after: int, limit: int) -> tuple[Envelope, list[int]]:
        """Result: one page, and its rows' versions; a row whose version can't be read is passed by. Raises RetryableError where
        none can be, of the whole list or of a page that goes on."""
        reply = self._get(what, {"after": str(after), "limit": str(limit)}, items=limit)
        page = _as(Envelope, _good(reply).json(), reply)
        versions = [version for row in page.data if (version := version_of(row)) is not None]
        rising = all(before < now for before, now in zip([after, *versions], versions, strict=False))
        stuck = not versions and (page.has_more or (page.data and not after))
        if not rising or stuck or page.next_after < max([after, *versions]):
            raise reply.unreadable()
        return page, versions

    def _get(self, path: str, params: Mapping[str, str], *, items: int = 0) -> Reply:
        return self._door.read(Ask("GET", f"{self._url}/v1/{path}", params=params, headers=self._headers), items=items)

    def _post(self, body: Mapping[str, Any], *, to: str = "adjustments", method: str = "POST") -> Reply:
        headers = {**self._headers, "Content-Type": "application/json"}
        data = json.dumps(body, ensure_ascii=False).encode()
        return self._door.write(Ask(method, f"{self._url}/v1/{to}", headers=headers, body=data), items=1)


def _as(model: type[Model], said: Any, reply: Reply) -> Model:
    try:
        return model.model_validate(said)
    except Invalid as error:
        raise reply.unreadable() from error


def _good(reply: Reply) -> Reply:
    """The reply, if it is none of a refusal. A refusal raises what it means; by the contract, nothing was changed."""
    if reply.status >= 400:
        raise _refusal(reply)
    return reply


def _said(reply: Reply) -> dict[str, str]:
    """Result: `code` and `message` of the till's own words; empty where somebody else answers in its place."""
    said = reply.json_or_none()
    if not isinstance(said, dict) or not isinstance(said.get("code"), str):
        return {}
    return {"code": label(said["code"], most=40), "message": label(said.get("message"), most=1000)}


def _refusal(reply: Reply) -> ConnectorError:
    said, status = _said(reply), reply.status
    if status in (401, 403) and said:
        return ConfigError(
            f"The till refuses our token: {said['message']}",
            next_step="Copy the token from the till's settings again, and see that it may read stock and book adjustments.",
            code="unauthorized",
        )
    if status in (401, 403):
        return ConfigError(
            f"Something in front of the till keeps us out ({status}): “{reply.snippet()}”",
            next_step="Allow our requests in the till's firewall, and remove a password on its address.",
            code="blocked",
        )
    if status == 404:
        return ConfigError(
            "There is no POS API at this address.",
            next_step="Check the till's address; what follows is /v1/….",
            code="not_pos_api",
        )
    if not said:
        return reply.unreadable()
    return RejectedError(
        f"The till refuses this: {said['message'] or said['code']}",
        next_step="Look at the item at the till.",
        code=said["code"],
    )
