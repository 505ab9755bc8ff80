"""Rules about products: one fact in, a finding or nothing out."""

from dataclasses import dataclass
from decimal import Decimal

from alerts.rules.limits import Limits
from alerts.rules.words import Code, Finding
from kit.words import quantity_said

SETTLE = "Settle it under Conflicts."


@dataclass(frozen=True, slots=True)
class Product:
    """A product as people know it. `pair_id`: its partner's; 0 where it is not about one."""

    item_id: int
    till_id: int
    sku: str
    name: str
    pair_id: int = 0
    listing_id: int | None = None
    store_id: int | None = None

    @property
    def label(self) -> str:
        return f"{self.name} ({self.sku})" if self.name else self.sku


def negative_stock(product: Product, *, level_id: int, place: str, on_hand: Decimal) -> Finding | None:
    """More was sold than lay there. That is no error: both sales count (ledger.md §7)."""
    if on_hand >= 0:
        return None
    return Finding(
        Code.NEGATIVE_STOCK,
        f"level:{level_id}",
        product.label,
        f"{quantity_said(on_hand)} at {place}: more was sold than lay there.",
        "Count the shelf at the till. If the number is right, somebody will not get theirs: tell them.",
        figures={"on_hand": str(on_hand), "place": place},
        connection_id=product.till_id,
        item_id=product.item_id,
    )


def stock(product: Product, *, available: Decimal, limits: Limits, sells: bool) -> Finding | None:
    """Sold out, or low. `available`: over all places, less what is promised. `sells`: something of it ever moved; what was at
    zero when it was first counted is no news."""
    low = limits.low_stock_below
    figures = {"available": str(available)}
    if available <= 0:
        if not (limits.out_of_stock and sells):
            return None
        return Finding(
            Code.OUT_OF_STOCK,
            f"item:{product.item_id}",
            product.label,
            "None is left to sell.",
            "Order it, or take it off sale.",
            figures=figures,
            connection_id=product.till_id,
            item_id=product.item_id,
        )
    if low is None or available >= low:
        return None
    return Finding(
        Code.LOW_STOCK,
        f"item:{product.item_id}",
        product.label,
        f"{quantity_said(available)} left to sell; low is below {quantity_said(low)}.",
        "Order it.",
        figures={**figures, "low_stock_below": str(low)},
        connection_id=product.till_id,
        item_id=product.item_id,
    )


def discrepancy(product: Product, *, target: Decimal, shows: Decimal, why: str, limits: Limits) -> Finding | None:
    """What the shop shows is not what it should, by too many units or too large a share. Of zero there is no share."""
    off = shows - target
    share = abs(off) / abs(target) * 100 if target else None
    if abs(off) <= limits.discrepancy_units and (share is None or share <= limits.discrepancy_percent):
        return None
    of_target = "" if share is None else f", {share:.0f} %"
    return Finding(
        Code.DISCREPANCY,
        f"pair:{product.pair_id}",
        product.label,
        f"The shop shows {quantity_said(shows)}, it should show {quantity_said(target)}: "
        f"{quantity_said(abs(off))} off{of_target}. {why}".strip(),
        "Its page under Sync states says what it waits for.",
        figures={"shows": str(shows), "should_show": str(target)},
        connection_id=product.store_id,
        item_id=product.item_id,
        listing_id=product.listing_id,
    )


def price_gap(product: Product, *, till_price: Decimal, shop_price: Decimal, limits: Limits) -> Finding | None:
    """The two prices are further apart than is likely. Of a price of zero there is no share: it is always a gap."""
    off = abs(shop_price - till_price)
    if not off or (till_price and off / till_price * 100 <= limits.price_percent):
        return None
    share = f", {off / till_price * 100:.0f} % apart" if till_price else ""
    return Finding(
        Code.PRICE_GAP,
        f"pair:{product.pair_id}",
        product.label,
        f"Till {till_price.normalize():f}, shop {shop_price.normalize():f}{share}.",
        "Look which one is right, and correct the other.",
        figures={"till_price": str(till_price), "shop_price": str(shop_price)},
        connection_id=product.store_id,
        item_id=product.item_id,
        listing_id=product.listing_id,
    )


def price_waits(product: Product, *, before: Decimal | None, after: Decimal, why: str) -> Finding:
    """A price change that the price rule leaves to a person."""
    was = "" if before is None else f"from {before.normalize():f} "
    return Finding(
        Code.PRICE_GAP,
        f"pair:{product.pair_id}",
        product.label,
        f"A change {was}to {after.normalize():f} waits. {why}",
        "Approve or reject it under Price reviews.",
        figures={"price_now": None if before is None else str(before), "price_wanted": str(after)},
        connection_id=product.store_id,
        item_id=product.item_id,
        listing_id=product.listing_id,
    )


def write_refused(product: Product, *, why: str) -> Finding:
    """The shop refused this product's number; it is not sent again before something about it changes."""
    return Finding(
        Code.WRITE_REFUSED,
        f"pair:{product.pair_id}",
        product.label,
        why or "The shop refused its number.",
        "Mend the cause in the shop, then press Try again under Outbound writes.",
        connection_id=product.store_id,
        item_id=product.item_id,
        listing_id=product.listing_id,
    )


@dataclass(frozen=True, slots=True)
class Dispute:
    """An open conflict. `label`: the product's, or the listing's where it has no partner."""

    conflict_id: int
    subject: str
    label: str
    why: str
    store_id: int
    item_id: int | None
    listing_id: int | None
    difference: Decimal | None


def critical_drift(dispute: Dispute, *, is_critical: bool) -> Finding | None:
    """The shop's number is further off than any rule may settle."""
    if not is_critical:
        return None
    off = "" if dispute.difference is None else f"Off by {quantity_said(dispute.difference)}. "
    return _of(dispute, Code.CRITICAL_DRIFT, f"{off}{dispute.why}", f"{SETTLE} Until then nothing is written to it.")


def missing_data(dispute: Dispute) -> Finding:
    """One side does not say its number: unknown, not zero."""
    return _of(dispute, Code.MISSING_DATA, dispute.why, "Mend it in the shop, or reject the alignment.")


def sold_unaligned(dispute: Dispute) -> Finding:
    """Something was sold online that belongs to no item, so that the till doesn't hear of it."""
    return _of(dispute, Code.MISSING_ALIGNMENT, dispute.why, "Align it with its item under Alignments.")


def _of(dispute: Dispute, code: Code, words: str, next_step: str) -> Finding:
    return Finding(
        code,
        dispute.subject,
        dispute.label,
        words,
        next_step,
        figures={"conflict": dispute.conflict_id, "difference": None if dispute.difference is None else str(dispute.difference)},
        connection_id=dispute.store_id,
        item_id=dispute.item_id,
        listing_id=dispute.listing_id,
    )


def unaligned(*, store_id: int, store: str, count: int) -> Finding | None:
    """Products of a store that no item stands for."""
    if not count:
        return None
    said = "1 product has" if count == 1 else f"{count:,} products have"
    return Finding(
        Code.MISSING_ALIGNMENT,
        f"store:{store_id}",
        store,
        f"{said} no item at the till, so nobody keeps {'its' if count == 1 else 'their'} stock.",
        "Align them under Listings, or take them off sale.",
        figures={"listings": count},
        connection_id=store_id,
    )
