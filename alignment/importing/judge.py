"""The rules of an import, row by row and row against row (architecture.md: a listing stands for one item). Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from alignment.importing.effects import Change, Known, Pair, RowEffect, Thing
from alignment.importing.rows import AlignmentRow
from alignment.packs import MOST_UNITS
from kit.files.effects import Effect
from kit.sku import sku_key
from kit.words import quantity_text

MATCH_TYPES = ("exact", "auto-high", "fuzzy", "barcode", "manual")
_CONFIDENCE = re.compile(r"\d{1,9}([.,]\d{1,20})?|[.,]\d{1,20}")
_UNITS = re.compile(r"[0-9]{1,9}")
_CONFIRMED, _REJECTED = "confirmed", "rejected"


def rows_judge(rows: Iterable[AlignmentRow], known: Known) -> list[RowEffect]:
    """Result: one effect for each row, in the file's order. Nothing that a person confirmed or rejected is overruled, and of
    rows that contradict each other none is applied."""
    return _contradictions([_row_judge(row, known) for row in rows])


def _row_judge(row: AlignmentRow, known: Known) -> RowEffect:
    problem = _unreadable(row)
    if problem:
        return problem
    if row.status and row.status != _CONFIRMED:
        return RowEffect(row, Effect.UNCHANGED, "not_confirmed", f"The file itself says “{row.status}”: left as it is.")
    item, problem = _item_find(row, known)
    if item is None:
        return problem
    listing, problem = _listing_find(row, known)
    if listing is None:
        return replace(problem, item=item)
    match_type, confidence = match_type_read(row.match_type), confidence_read(row.confidence)
    assert match_type is not None  # _unreadable has seen to it
    assert confidence is not None
    effect = RowEffect(
        row,
        Effect.CREATE,
        item=item,
        listing=listing,
        match_type=match_type,
        confidence=confidence,
        units=units_read(row.units),
        pair=known.pairs.get((item.pk, listing.pk)),
        message=_spelling(row, item, listing),
    )
    return _against_known(effect, item, listing, known)


def _unreadable(row: AlignmentRow) -> RowEffect | None:
    def error(code: str, message: str, next_step: str) -> RowEffect:
        return RowEffect(row, Effect.ERROR, code, message, next_step)

    if row.is_short:
        return error("short_row", "The row has fewer cells than the header.", "Look for a missing delimiter in this line.")
    if not row.pos_sku:
        return error("no_pos_sku", "The POS SKU is empty.", "Fill it in, or delete the row.")
    if not row.store_sku:
        return error("no_store_sku", "The WooCommerce SKU is empty.", "Fill it in, or delete the row.")
    if match_type_read(row.match_type) is None:
        return error("bad_match_type", f"“{row.match_type[:40]}” is no match type.", f"Use one of: {', '.join(MATCH_TYPES)}.")
    if confidence_read(row.confidence) is None:
        return error(
            "bad_confidence",
            f"The confidence “{row.confidence[:40]}” is no number from 0 to 1.",
            "Write it as 0.95, not as 95 %.",
        )
    if row.units and units_read(row.units) is None:
        step = f"Write 6 for a pack of six, or leave the cell empty. At most {MOST_UNITS}."
        return error("bad_units", f"The units “{row.units[:40]}” are no whole number from 1 on.", step)
    return None


def match_type_read(text: str) -> str | None:
    """Result: the match type, whatever its case and separator; None for one that doesn't exist."""
    word = re.sub(r"[\s_-]+", "-", text.strip().casefold())
    return word if word in MATCH_TYPES else None


def confidence_read(text: str) -> Decimal | None:
    """Result: the confidence, 0 to 1, to four places, with a decimal point or comma; None where the text is no such number."""
    if not _CONFIDENCE.fullmatch(text):
        return None
    number = Decimal(text.replace(",", "."))
    return number.quantize(Decimal("0.0001")) if number <= 1 else None


def units_read(text: str) -> int | None:
    """Result: the units per listing; None where the text is no such number."""
    return int(text) if _UNITS.fullmatch(text) and 1 <= int(text) <= MOST_UNITS else None


def _item_find(row: AlignmentRow, known: Known) -> tuple[Thing | None, RowEffect]:
    found = known.items.find(row.pos_sku, sku_key(row.pos_sku))
    if len(found) == 1 and not found[0].is_missing:
        return found[0], RowEffect(row, Effect.CREATE)
    if not found:
        return None, RowEffect(
            row, Effect.ERROR, "unknown_pos_sku", f"The till has no item “{row.pos_sku[:190]}”.",
            "Check the spelling. If the item is new, let the till export again first. If it is there, its row could not be read: "
            "the till's last export says why, under Runs.",
        )  # fmt: skip
    if len(found) > 1:
        return None, RowEffect(
            row, Effect.CONFLICT, "ambiguous_pos_sku",
            f"Several items could be meant: {', '.join(thing.label for thing in found[:5])}.",
            "Write the SKU exactly as the till does.",
        )  # fmt: skip
    return None, RowEffect(
        row, Effect.ERROR, "item_missing", f"The till does not list {found[0].label} any more.",
        "Delete the row, or put the item back at the till and let it export again.",
    )  # fmt: skip


def _listing_find(row: AlignmentRow, known: Known) -> tuple[Thing | None, RowEffect]:
    found = known.listings.find(row.store_sku, sku_key(row.store_sku))
    if len(found) > 1:
        return None, RowEffect(
            row, Effect.CONFLICT, "ambiguous_store_sku",
            f"{len(found)} listings could be meant: {', '.join(thing.label for thing in found[:5])}.",
            "Give each listing its own SKU in the store, read it again, then import again.",
        )  # fmt: skip
    if not found:
        return None, RowEffect(
            row, Effect.ERROR, "unknown_store_sku", f"The store has no listing “{row.store_sku[:190]}”.",
            "Check the spelling. If the product is new, read the store again first.",
        )  # fmt: skip
    if found[0].is_missing:
        return None, RowEffect(
            row, Effect.ERROR, "listing_missing", f"{found[0].label} is not in the store any more.",
            "Delete the row, or bring the product back and read the store again.",
        )  # fmt: skip
    if not found[0].is_stockable:
        return None, RowEffect(
            row, Effect.ERROR, "parent_listing",
            f"{found[0].label} is only the parent of its variations: it has no stock of its own.",
            "Name the variation's SKU instead.",
        )  # fmt: skip
    return found[0], RowEffect(row, Effect.CREATE)


def _spelling(row: AlignmentRow, item: Thing, listing: Thing) -> str:
    spelt = [
        f"“{written}” is taken for “{thing.sku}”"
        for written, thing in ((row.pos_sku, item), (row.store_sku, listing))
        if written != thing.sku
    ]
    return f"{' and '.join(spelt)}: the same apart from spelling." if spelt else ""


def _against_known(effect: RowEffect, item: Thing, listing: Thing, known: Known) -> RowEffect:
    """The effect in the light of what is aligned already."""
    pair = effect.pair
    if pair is None or pair.status != _CONFIRMED:
        taken = known.partner_of_listing.get(listing.pk)
        if taken:
            return replace(
                effect, effect=Effect.CONFLICT, code="listing_taken", message=f"{listing.label} is confirmed as item “{taken}”.",
                next_step="If this row is right, reject that pair first, then import again.",
            )  # fmt: skip
    is_as_before = pair is not None and pair.status == _CONFIRMED and pair.units == effect.units_after
    other, label = known.partner_of_item.get((item.pk, effect.units_after), (listing.pk, ""))
    if other != listing.pk and not is_as_before:
        return replace(
            effect, effect=Effect.CONFLICT, code="item_taken", message=f"{item.label} is confirmed as listing “{label}”.",
            next_step="If this row is right, reject that pair first, then import again. For a pack, say its Units.",
        )  # fmt: skip
    if pair is None:
        return effect
    if pair.status == _REJECTED:
        return replace(
            effect, effect=Effect.CONFLICT, code="pair_rejected", pair=pair, message="This pair was rejected before.",
            next_step="If it is right after all, confirm it in the list of alignments.",
        )  # fmt: skip
    changes = _changes(pair, effect)
    return replace(effect, effect=Effect.CHANGE if changes else Effect.UNCHANGED, pair=pair, changes=changes)


def _changes(pair: Pair, effect: RowEffect) -> tuple[Change, ...]:
    compared = (
        ("status", pair.status, _CONFIRMED),
        ("match type", pair.match_type, effect.match_type),
        ("confidence", quantity_text(pair.confidence), quantity_text(effect.confidence)),
        ("units per listing", str(pair.units), str(effect.units_after)),
    )
    return tuple(Change(label, before, after) for label, before, after in compared if before != after)


@dataclass(slots=True)
class _Group:
    """The rows of one listing, or of one item in packs of one size."""

    first: RowEffect
    lines: list[int] = field(default_factory=list)
    partners: set[int] = field(default_factory=set)
    claims: set[tuple[str, Decimal, int]] = field(default_factory=set)

    def add(self, effect: RowEffect, partner: int) -> None:
        self.lines.append(effect.row.line)
        self.partners.add(partner)
        self.claims.add((effect.match_type, effect.confidence, effect.units_after))

    @property
    def where(self) -> str:
        more = f" and {len(self.lines) - 10} more" if len(self.lines) > 10 else ""
        return f"Lines {', '.join(map(str, self.lines[:10]))}{more}"


def _contradictions(effects: Sequence[RowEffect]) -> list[RowEffect]:
    """Rows that contradict each other become conflicts; a row that repeats another one word for word does nothing."""
    of_listing: dict[int, _Group] = {}
    of_item: dict[tuple[int, int], _Group] = {}
    for effect in effects:
        if effect.item and effect.listing:
            of_listing.setdefault(effect.listing.pk, _Group(effect)).add(effect, effect.item.pk)
            of_item.setdefault((effect.item.pk, effect.units_after), _Group(effect)).add(effect, effect.listing.pk)
    judged: list[RowEffect] = []
    for effect in effects:
        item, listing = effect.item, effect.listing
        if item and listing and not effect.is_problem:
            groups = of_item[item.pk, effect.units_after], of_listing[listing.pk]
            judged.append(_contradiction(effect, item, groups[0], listing, groups[1]))
        else:
            judged.append(effect)
    return judged


def _contradiction(effect: RowEffect, item: Thing, of_item: _Group, listing: Thing, of_listing: _Group) -> RowEffect:
    def conflict(code: str, message: str) -> RowEffect:
        return replace(
            effect, effect=Effect.CONFLICT, code=code, message=message, changes=(), next_step="Keep only the row that is right."
        )

    if len(of_listing.partners) > 1:
        return conflict("listing_twice", f"{of_listing.where} give {listing.label} to different items.")
    if len(of_item.partners) > 1:
        return conflict("pos_sku_twice", f"{of_item.where} give {item.label} different listings of one size.")
    if len(of_listing.claims) > 1:
        return conflict("pair_twice", f"{of_listing.where} say different things about this pair.")
    if effect is of_listing.first:
        return effect
    repeats = f"Repeats line {of_listing.first.row.line}."
    return replace(effect, effect=Effect.UNCHANGED, code="repeated_row", message=repeats, changes=())
