"""The connection test: what works, what doesn't, and why, in the owner's words. It changes nothing at the till."""

from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.contract import CheckReport, Finding
from connectors.errors import ConnectorError
from connectors.rest_pos.client import Client
from connectors.wire import label

_CLOCKS_AGREE = timedelta(minutes=2)


class Checkup:
    """One examination of one till."""

    def __init__(self, client: Client, now: Callable[[], datetime]) -> None:
        self._client, self._now = client, now
        self._findings: list[Finding] = []
        self._facts: dict[str, str] = {}

    def report(self) -> CheckReport:
        """Result: the findings in the order of a person's questions. Stops where nothing further can be learnt."""
        for step in (self._locations, self._items, self._levels, self._may_adjust):
            try:
                step()
            except ConnectorError as error:
                self._say(error.message, error.next_step, ok=False)
                break
        return CheckReport(tuple(self._findings), self._facts)

    def _say(self, message: str, next_step: str = "", *, ok: bool = True) -> None:
        self._findings.append(Finding(ok=ok, message=message, next_step=next_step))

    def _locations(self) -> None:
        names = [place.name for place in self._client.locations()]
        self._facts["locations"] = ", ".join(names[:20])
        if self._client.is_secure:
            self._say("The till answers over https, and takes our token.")
        else:
            self._say(
                "The till answers over http, and takes our token: anybody on the way can read it.",
                "Use https unless the till is in your own network.",
            )
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        self._say(f"It keeps stock at: {', '.join(names[:5])}{more}.")

    def _items(self) -> None:
        page = self._client.first("items")
        if not page.data:
            self._say("The till has no items.", "Check that this is the right till.", ok=False)
            return
        item = page.data[0]
        self._say(f"Its items can be read, such as “{label(item.get('name'), most=60) or label(item.get('sku'), most=60)}”.")

    def _levels(self) -> None:
        page = self._client.first("levels")
        self._say("Its stock can be read." if page.data else "Its stock can be read; it counts no item yet.")
        ahead = page.as_of - self._now()
        if abs(ahead) > _CLOCKS_AGREE:
            minutes, which = round(abs(ahead).total_seconds() / 60), "ahead of" if ahead > timedelta(0) else "behind"
            self._say(
                f"The till's clock is {minutes:,} minutes {which} ours. Nothing depends on it.", "Set it, for its receipts."
            )

    def _may_adjust(self) -> None:
        self._client.book_nothing()
        self._say("The token may book adjustments; none was booked.")
