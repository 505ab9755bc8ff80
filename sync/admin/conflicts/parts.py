"""How a conflict is shown: both sides in one cell, the ways to settle it with what each writes, and where to mend it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kit.admin.parts import UNKNOWN, named, number, why_link
from sync.conflicts.effects import Outlook, ways_of
from sync.conflicts.words import effect_sentence
from sync.core.policy import Policy
from sync.core.settling import POLICIES, Effect, Refusal, Step, Way
from sync.models import SyncConflict
from sync.selectors import rules_of

Type = SyncConflict.Type
CLASS_TONES = {
    SyncConflict.Class.MINOR: "mute",
    SyncConflict.Class.MAJOR: "warn",
    SyncConflict.Class.CRITICAL: "bad",
}
LABELS: Mapping[Way, str] = {
    Way.POS: "Till wins",
    Way.WOO: "Shop wins",
    Way.COUNT: "Set to a count",
    Way.HIGHER: "Keep the higher",
    Way.MERGE: "Both changes count",
    Way.IGNORE: "Leave it as it is",
    Way.NOTED: "Note and close",
}
REASONS: Mapping[Way, Sequence[str]] = {
    Way.POS: ("Counted the shelf", "Trust the till"),
    Way.WOO: ("Counted the shelf", "Trust the shop"),
    Way.COUNT: ("Counted the shelf",),
    Way.HIGHER: ("Rather offer one too many than lose a sale",),
    Way.MERGE: ("Both changes are real",),
    Way.IGNORE: ("It is meant to be so", "Nothing to do about it"),
    Way.NOTED: ("Seen, nothing to do", "Entered at the till by hand"),
}
IN_SHOPS_UNITS = (Type.QUANTITY, Type.SIMULTANEOUS_SALE, Type.UNSETTLED)  # where the shop's value is a number


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One number of a preview: what it is, and before → after. `after` is "" where it stays."""

    label: str
    before: str
    after: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class WayRow:
    """One way to settle a conflict, with what it writes or why it can't be."""

    way: Way
    label: str
    url: str
    sentence: str = ""
    numbers: Sequence[NumberRow] = ()
    refusal: str = ""

    @property
    def is_count(self) -> bool:
        return self.way == Way.COUNT


def product_of(conflict: SyncConflict) -> SafeString:
    """Result: what a conflict is about, as people know it."""
    pair = conflict.alignment
    if pair:
        return named(pair.item.name or pair.listing.name, pair.item.sku, pair.listing.sku)
    return named(conflict.listing.name, str(conflict.listing)) if conflict.listing else named("", conflict.subject)


def sides_of(conflict: SyncConflict) -> SafeString:
    """Result: one cell that says what the till says, the difference, and what the shop says."""
    pair = conflict.alignment
    why = why_link(listing=pair.listing_id, about=f"{pair}") if pair else ""
    off = None if conflict.difference is None or conflict.conflict_type != Type.QUANTITY else -conflict.difference
    pack = pack_of(conflict)
    return format_html(
        '<span class="pair{}"><span><small>till</small><b>{}</b></span><span class="d {}">{}</span>'
        "<span><small>{}</small><b>{}</b></span></span> {}",
        "" if off is not None else " words",
        signed(conflict.pos_value),
        "" if not off else "up" if off > 0 else "down",
        number(off, signed=True) if off is not None else "≠" if conflict.pos_value and conflict.woo_value else "",
        f"shop, {pack}" if pack else "shop",
        signed(conflict.woo_value),
        why,
    )


def pack_of(conflict: SyncConflict) -> str:
    """Result: what the shop's number counts, where that is packs."""
    return conflict.alignment.pack if conflict.alignment and conflict.conflict_type in IN_SHOPS_UNITS else ""


def signed(value: str) -> str:
    """Result: what a side said; a number with a true minus, a dash for nothing."""
    try:
        return number(Decimal(value)) if value else UNKNOWN
    except InvalidOperation:
        return value


def numbers_of(conflict: SyncConflict, effect: Effect) -> list[NumberRow]:
    """Result: what settling it does to ledger, till and shop."""
    pack = conflict.alignment.pack if conflict.alignment else ""
    steps = (("Shelf", effect.shelf, ""), ("Till", effect.till, ""), ("Shop", effect.shop, pack))
    return [number_row(label, step, unit) for label, step, unit in steps if step is not None]


def number_row(label: str, step: Step, unit: str = "") -> NumberRow:
    return NumberRow(label, number(step.before), number(step.after) if step.change else "", unit)


def settle_url(conflict: SyncConflict, way: Way) -> str:
    return f"{reverse('admin:sync_syncconflict_settle', args=[conflict.pk])}?{urlencode({'winner': way.value})}"


def way_rows(outlook: Outlook, conflict: SyncConflict) -> list[WayRow]:
    """Result: the ways to settle it, in the order people ask, each with what it would write now."""
    rows = []
    for way in ways_of(conflict):
        row = WayRow(way, LABELS[way], settle_url(conflict, way))
        if way == Way.COUNT:
            rows.append(row)
            continue
        effect = outlook.effect(conflict, way)
        if isinstance(effect, Refusal):
            rows.append(replace(row, url="", refusal=f"{effect.why} {effect.next_step}"))
            continue
        said = effect_sentence(conflict, way, None, effect)
        rows.append(WayRow(way, row.label, row.url, said, numbers_of(conflict, effect)))
    return rows


def rule_of(conflict: SyncConflict) -> Way | None:
    """Result: the way that the rule for its product would go, were it small enough; None where it asks a person, or the time."""
    if conflict.alignment is None or conflict.conflict_type != Type.QUANTITY:
        return None
    item = conflict.alignment.item
    policy: Policy = rules_of(store=conflict.store, items=[item])[item.pk].policy
    return next((way for way, one in POLICIES.items() if one == policy), None)


def reasons_for(way: Way, person: User) -> list[str]:
    """Result: reasons to choose from, the first one chosen already."""
    return [f"{LABELS[way]}, decided by {person.get_full_name() or person.get_username()}", *REASONS[way]]


def align_url(conflict: SyncConflict) -> str:
    """Result: where what was sold unaligned is aligned; "" for anything else, and where the shop has no product for it."""
    if conflict.conflict_type != Type.MISSING_ALIGNMENT or not conflict.listing_id:
        return ""
    return f"{reverse('admin:alignment_alignment_add')}?{urlencode({'listing': conflict.listing_id})}"


def mends_of(conflict: SyncConflict) -> list[tuple[str, str]]:
    """Result: where its cause is looked at or mended: words and address."""
    pair, listing = conflict.alignment, conflict.listing or (conflict.alignment.listing if conflict.alignment else None)
    links: list[tuple[str, str]] = []
    kind = Type(conflict.conflict_type)
    if align := align_url(conflict):
        links.append(("Align it…", align))
    if conflict.order_id:
        links.append((f"Order {conflict.order}", reverse("admin:sync_order_change", args=[conflict.order_id])))
    if kind == Type.UNSETTLED:
        links += [
            ("Writes without an answer", f"{reverse('admin:sync_outboundwrite_changelist')}?state__exact=unknown"),
            ("Numbers put off", reverse("admin:sync_putoff_changelist")),
        ]
    if kind == Type.PRICE:
        links.append(("Prices", reverse("admin:sync_pricereview_changelist")))
    if pair:
        links.append(("Why these numbers?", reverse("admin:inventory_listing_why", args=[pair.listing_id])))
        links.append(("The pair", reverse("admin:alignment_alignment_change", args=[pair.pk])))
        links.append(("The till's item", reverse("admin:inventory_item_change", args=[pair.item_id])))
    if listing:
        links.append(("The shop's product", reverse("admin:inventory_listing_change", args=[listing.pk])))
    return links
