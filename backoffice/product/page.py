"""“Why this number” as a page: the explanation with its addresses, its bars and its badges."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from backoffice.product.waterfall import Fall, Scale, fall_svg, waterfall_svg
from inventory.models import Item, Listing
from kit.admin.parts import badge, number
from sync.core.why.steps import Bridge, Link, Standing, Step, Tone, amount, moment_said
from sync.why.movements import Window
from sync.why.past import ExplainedThen, ShopThen
from sync.why.read import Explained, Shop

MAY_SEE = "inventory.view_movement"
PAGES = {  # what a link leads to: the view, and who may follow it
    "order": ("sync_order_change", "sync.view_order"),
    "feed": ("sync_tillfeed_change", "sync.view_tillfeed"),
    "conflict": ("sync_syncconflict_change", "sync.view_syncconflict"),
    "run": ("sync_syncrun_change", "sync.view_syncrun"),
    "write": ("sync_outboundwrite_change", "sync.view_outboundwrite"),
    "person": ("auth_user_change", "auth.view_user"),
    "movement": ("inventory_movement_change", MAY_SEE),
}
TONES = {
    Standing.IN_STEP: "ok",
    Standing.WAITING: "info",
    Standing.OBSERVED: "mute",
    Standing.PERSON: "warn",
    Standing.UNKNOWN: "mute",
    Standing.FAILED: "bad",
}
NO_PARTNER = "Which product of a shop it was then was not kept, or it was none."
WORST = (Standing.IN_STEP, Standing.UNKNOWN, Standing.OBSERVED, Standing.WAITING, Standing.PERSON, Standing.FAILED)


@dataclass(frozen=True, slots=True)
class Lead:
    """A link as this reader sees it: without an address where the reader may not go there."""

    label: str
    url: str


Fact = tuple[str, str, Sequence[Lead]]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table."""

    at: datetime | None
    what: str
    note: str
    change: str
    left: str
    is_total: bool
    bar: SafeString
    leads: Sequence[Lead]


@dataclass(frozen=True, slots=True)
class Part:
    """One system: its sentence, how it stands, and its rows."""

    code: str
    title: str
    url: str
    verdict: SafeString
    sentence: str
    why_not: str
    next_step: str
    leads: Sequence[Lead]
    lines: Sequence[Line]
    facts: Sequence[Fact] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Moves:
    """The movements of a page."""

    lines: Sequence[Line]
    said: str
    older: str
    newest: str


@dataclass(frozen=True, slots=True)
class WhyPage:
    """All of the page."""

    title: str
    item: Item
    when: str
    zone: ZoneInfo
    tone: str
    verdict: SafeString
    sentence: str
    why_not: str
    next_step: str
    leads: Sequence[Lead]
    chart: SafeString
    chart_title: str
    parts: Sequence[Part]
    moves: Moves
    warning: str = ""


class _Reader:
    """Who looks, and where the page is."""

    def __init__(self, user: User | AnonymousUser, address: str, query: Mapping[str, str]) -> None:
        self.user, self.address, self.query = user, address, query

    def leads(self, links: Iterable[Link]) -> list[Lead]:
        return [Lead(link.label, self._url(link)) for link in links]

    def _url(self, link: Link) -> str:
        if link.kind == "day":
            return self.here(day=str(link.key))
        view, permission = PAGES[link.kind]
        return reverse(f"admin:{view}", args=[link.key]) if self.user.has_perm(permission) else ""

    def here(self, **changed: str) -> str:
        """Result: this page with the moment kept, and these pages of its movements."""
        query = urlencode({**({"at": self.query["at"]} if "at" in self.query else {}), **changed})
        return f"{self.address}?{query}#movements" if changed else f"{self.address}?{query}" if query else self.address

    def lines(self, steps: Sequence[Step]) -> list[Line]:
        falls = _falls(steps)
        scale = Scale.of(falls)
        return [
            Line(
                step.at, step.what, step.note, number(step.change, signed=True) if step.change is not None else "",
                number(step.left), step.tone == Tone.TOTAL, _drawn(fall_svg(fall, scale)), self.leads(step.links),
            )
            for step, fall in zip(steps, falls, strict=True)
        ]  # fmt: skip


def _falls(steps: Sequence[Step]) -> list[Fall]:
    """Result: each step as a bar: a total from zero, another from what was left before it."""
    falls = []
    for step in steps:
        is_total = step.change is None
        start = Decimal(0) if step.change is None else step.left - step.change
        said = number(step.left) if is_total else number(step.change, signed=True)
        falls.append(Fall(step.what, start, step.left, step.tone.value, said))
    return falls


def why_page(explained: Explained, *, listing: Listing | None, user: User | AnonymousUser, query: Mapping[str, str]) -> WhyPage:
    """Result: the page of an item, or of one listing of it, as things are now."""
    item, reader = explained.item, _Reader(user, address_of(listing or explained.item), query)
    shops = [shop for shop in explained.shops if listing is None or shop.listing.pk == listing.pk]
    bridges = [*(shop.bridge for shop in shops), *(one.bridge for one in explained.shelves)]
    focus = shops[0].bridge if listing and shops else None
    worst = focus or max(bridges, key=lambda bridge: WORST.index(bridge.standing), default=None)
    standing = worst.standing if worst else Standing.UNKNOWN
    steps = _chart_steps(explained.account, shops[0].bridge if len(shops) == 1 else None)
    chart_title = f"From the first count to {steps[-1].what.lower() if len(steps) == len(explained.account) else 'the shop'}"
    return WhyPage(
        title=_title(explained, shops[0].listing if focus else None),
        item=item,
        when="as it is now",
        zone=explained.zone,
        tone=TONES[standing],
        verdict=badge(standing.capitalize(), TONES[standing]),
        sentence=focus.sentence if focus else explained.sentence,
        why_not=focus.why_not if focus else _elsewhere(worst),
        next_step=focus.next_step if focus else "",
        leads=reader.leads(focus.links) if focus else [],
        chart=_chart(steps, chart_title),
        chart_title=chart_title,
        parts=[*(_shop_part(shop, reader, is_focus=focus is not None) for shop in shops), *_place_parts(explained, reader)],
        moves=_moves(explained.window, reader),
        warning="The kept sum differs from the ledger. That should never be: please tell support." if explained.is_off else "",
    )


def _shop_part(shop: Shop, reader: _Reader, *, is_focus: bool) -> Part:
    """Result: one listing. On its own page its answer stands above already, and its heading leads to the product."""
    listing, bridge = shop.listing, shop.bridge
    facts: list[Fact] = [("Rule for differences", shop.rule, [])]
    if shop.conflicts:
        facts.append(("Open conflicts", "", reader.leads(shop.conflicts)))
    return Part(
        code=f"shop-{listing.pk}",
        title=f"{listing.connection.name}: {listing.name or listing}",
        url=reverse("admin:inventory_listing_change", args=[listing.pk]) if is_focus else address_of(listing),
        verdict=badge(bridge.standing.capitalize(), TONES[bridge.standing]),
        sentence="" if is_focus else bridge.sentence,
        why_not="" if is_focus else bridge.why_not,
        next_step="" if is_focus else bridge.next_step,
        leads=[] if is_focus else reader.leads(bridge.links),
        lines=reader.lines(bridge.steps),
        facts=facts,
    )


def _place_parts(explained: Explained, reader: _Reader) -> Iterator[Part]:
    for one in explained.shelves:
        bridge = one.bridge
        yield Part(
            code=f"place-{one.level.pk}",
            title=f"{explained.item.connection.name}: {one.level.location.name}",
            url="",
            verdict=badge(bridge.standing.capitalize(), TONES[bridge.standing]),
            sentence=bridge.sentence,
            why_not=bridge.why_not,
            next_step=bridge.next_step,
            leads=reader.leads(bridge.links),
            lines=reader.lines(bridge.steps),
        )


def _elsewhere(worst: Bridge | None) -> str:
    """Result: on an item's page, that something about it is not in step; its own part says more."""
    return worst.why_not if worst and worst.standing != Standing.IN_STEP else ""


def _chart_steps(account: Sequence[Step], bridge: Bridge | None) -> list[Step]:
    """Result: from the first count through on hand to what the shop shows; on hand is drawn once."""
    return [*account, *bridge.steps[1:]] if bridge else [*account]


def _title(explained: Explained, shown: Listing | None) -> str:
    if shown is None:
        total = sum(explained.ledger.by_location.values(), Decimal(0))
        return f"Why {'is' if total == 1 else 'are'} {amount(total)} on hand?"
    if shown.quantity is None:
        return f"What does {shown.connection.name} show?"
    return f"Why does {shown.connection.name} show {amount(shown.quantity)}?"


def why_page_then(
    explained: ExplainedThen,
    *,
    listing: Listing | None,
    user: User | AnonymousUser,
    now: datetime,
    query: Mapping[str, str],
) -> WhyPage:
    """Result: the page of an item, or of one listing of it, at a past moment."""
    reader = _Reader(user, address_of(listing or explained.item), query)
    shops = [shop for shop in explained.shops if listing is None or shop.listing.pk == listing.pk]
    total = sum(explained.ledger.by_location.values(), Decimal(0))
    at = moment_said(explained.at, explained.zone, now)
    chart_title = f"From the first count to {at}"
    return WhyPage(
        title=f"Why {'was' if total == 1 else 'were'} {amount(total)} on hand?",
        item=explained.item,
        when=f"as it was {at}",
        zone=explained.zone,
        tone="mute",
        verdict=badge("A past moment", "mute"),
        sentence=explained.sentence,
        why_not=" ".join(shop.sentence for shop in shops) if shops else NO_PARTNER,
        next_step="",
        leads=[],
        chart=_chart(explained.account, chart_title),
        chart_title=chart_title,
        parts=[_then_part(shop, reader, is_focus=listing is not None) for shop in shops],
        moves=_moves(explained.window, reader),
    )


def _then_part(shop: ShopThen, reader: _Reader, *, is_focus: bool) -> Part:
    listing = shop.listing
    return Part(
        code=f"shop-{listing.pk}",
        title=f"{listing.connection.name}: {listing.name or listing}",
        url="" if is_focus else address_of(listing),
        verdict=badge("As far as it was kept", "mute"),
        sentence="",
        why_not="",
        next_step="",
        leads=[],
        lines=[],
        facts=[(known.what, known.said, reader.leads(known.links)) for known in shop.known],
    )


def _moves(window: Window | None, reader: _Reader) -> Moves:
    if window is None:
        return Moves([], "", older="", newest="")
    if window.day:
        said = f"those of {window.day:%-d %b %Y}"
    elif window.is_newest and window.older is None:
        said = "all of them"
    else:
        said = "the newest" if window.is_newest else "older ones"
    day = {"day": window.day.isoformat()} if window.day else {}
    older = reader.here(**day, before=str(window.older)) if window.older else ""
    newest = "" if window.is_newest else reader.here()
    return Moves(reader.lines(window.steps), f"{said}, {window.count:,}", older, newest)


def address_of(thing: Item | Listing) -> str:
    """Result: where its numbers are explained."""
    return reverse("admin:inventory_item_why" if isinstance(thing, Item) else "admin:inventory_listing_why", args=[thing.pk])


def _chart(steps: Sequence[Step], title: str) -> SafeString:
    return _drawn(waterfall_svg(code="fall", title=title, falls=_falls(steps)))


def _drawn(svg: str) -> SafeString:
    return mark_safe(svg)  # noqa: S308 - drawn by backoffice.product.waterfall, which escapes what it is given
