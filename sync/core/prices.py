"""What a price should be at the other side, and whether it may be written there (prices.md). Pure; exact Decimals."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from connectors.money import MOST

ZERO, HUNDRED = Decimal(0), Decimal(100)
CENT, NICKEL = Decimal("0.01"), Decimal("0.05")


class Rounding(StrEnum):
    """How a price is made to fit."""

    NONE = "none"  # what doesn't fit the currency is refused
    CURRENCY = "currency"
    END_99 = "end_99"
    END_95 = "end_95"
    STEP_05 = "step_05"


@dataclass(frozen=True, slots=True)
class PriceRule:
    """How the owner's prices become the other side's. The two flags: is tax in that side's prices? They differ only where
    `tax_percent` is known."""

    decimals: int
    rounding: Rounding = Rounding.CURRENCY
    owner_includes_tax: bool = True
    other_includes_tax: bool = True
    tax_percent: Decimal | None = None
    band_percent: Decimal = Decimal(20)
    min_margin_percent: Decimal = ZERO
    owns_sale_prices: bool = False
    to_store: bool = True


@dataclass(frozen=True, slots=True)
class Figures:
    """What a decision rests on. `percent` None: the change has no percentage (from nothing, or from zero); the margins are
    shares of the price without tax, None where the cost or the price is unknown."""

    target: Decimal
    percent: Decimal | None
    margin_before: Decimal | None
    margin_after: Decimal | None


@dataclass(frozen=True, slots=True)
class Same:
    """Nothing to write."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write it. `ends_sale`: take the shop's sale price away with it."""

    figures: Figures
    ends_sale: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """A person must see it first; `why` in words."""

    figures: Figures
    why: str
    ends_sale: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """The owner names no price that can be used."""

    code: str
    why: str


Verdict = Same | Write | Review | Refuse


def price_target(*, rule: PriceRule, price: Decimal) -> Decimal | Refuse:
    """Result: what the other side should show, in the currency's decimals, for a price of the owner's."""
    if not price.is_finite():
        return Refuse("not_a_number", "The price is not a number.")
    if price < 0:
        return Refuse("negative", "The price is below zero.")
    if price >= MOST:
        return Refuse("too_large", "The price is too large to be one.")
    rounded = _rounded(_taxed(price, rule), rule)
    exact = rounded.quantize(Decimal(1).scaleb(-rule.decimals), ROUND_HALF_UP)
    if exact != rounded:
        return Refuse("too_fine", f"The price has more than {rule.decimals} decimals, and the rule rounds nothing.")
    return exact


def _taxed(price: Decimal, rule: PriceRule) -> Decimal:
    if rule.owner_includes_tax == rule.other_includes_tax:
        return price
    assert rule.tax_percent is not None  # the rule is not made without it
    factor = 1 + rule.tax_percent / HUNDRED
    return price * factor if rule.other_includes_tax else price / factor


def _rounded(price: Decimal, rule: PriceRule) -> Decimal:
    """Result: the nearest price that the rule allows, the higher one in the middle; nothing becomes zero by rounding to an
    ending."""
    match rule.rounding:
        case Rounding.NONE:
            return price
        case Rounding.END_99 | Rounding.END_95 if price:
            below = CENT if rule.rounding is Rounding.END_99 else NICKEL
            return max((price + below).quantize(Decimal(1), ROUND_HALF_UP), Decimal(1)) - below
        case Rounding.STEP_05 if price:
            return max((price / NICKEL).quantize(Decimal(1), ROUND_HALF_UP) * NICKEL, NICKEL)
    return price.quantize(Decimal(1).scaleb(-rule.decimals), ROUND_HALF_UP)


def price_judge(
    *, rule: PriceRule, price: Decimal | None, shows: Decimal | None, sale: Decimal | None = None, cost: Decimal | None = None
) -> Verdict:
    """Result: what is to be done about one price. `price` is the owner's, `shows` the other side's regular price, `sale` its
    sale price, `cost` what the item costs, without tax. None: nobody has said so."""
    if price is None:
        return Refuse("no_price", "No price is known." if rule.to_store else "The shop has no price.")
    target = price_target(rule=rule, price=price)
    if isinstance(target, Refuse):
        return target
    ends_sale = rule.to_store and rule.owns_sale_prices and sale is not None
    if target == shows and not ends_sale:
        return Same()
    asked = sale if ends_sale else shows  # what a customer pays now
    figures = Figures(target, change_percent(asked, target), margin(rule, asked, cost), margin(rule, target, cost))
    why = " ".join(_objections(rule, figures, asked, None if ends_sale else sale))
    return Review(figures, why, ends_sale) if why else Write(figures, ends_sale)


def _objections(rule: PriceRule, figures: Figures, asked: Decimal | None, sale: Decimal | None) -> Iterable[str]:
    target, percent = figures.target, figures.percent
    if asked is None:
        yield "It had no price." if rule.to_store else "The till had no price."
    elif not asked:
        yield "It was free."
    if not target:
        yield "It would be free."
    if percent is not None and abs(percent) > rule.band_percent:
        yield f"It changes by {percent_text(percent)}, more than the {percent_text(rule.band_percent, signed=False)} allowed."
    if figures.margin_after is not None and figures.margin_after < 0:
        yield "It is below cost."
    elif figures.margin_after is not None and figures.margin_after < rule.min_margin_percent:
        least = percent_text(rule.min_margin_percent, signed=False)
        yield f"The margin would be {percent_text(figures.margin_after, signed=False)}, less than {least}."
    if rule.to_store and sale is not None and target <= sale:
        yield "It is not above the sale price, which the shop would drop."


def change_percent(before: Decimal | None, after: Decimal) -> Decimal | None:
    """Result: how far it changes, in percent, exactly enough to compare; None from nothing or from zero."""
    return (after - before) * HUNDRED / before if before else None


def margin(rule: PriceRule, price: Decimal | None, cost: Decimal | None) -> Decimal | None:
    """Result: (price without tax − cost) as a percentage of that price; where tax is in it and no rate is known, of the price
    as it is. None where one of them is unknown or the price is zero."""
    if not price or cost is None:
        return None
    net = price / (1 + rule.tax_percent / HUNDRED) if rule.other_includes_tax and rule.tax_percent else price
    return (net - cost) * HUNDRED / net


def percent_text(percent: Decimal, *, signed: bool = True) -> str:
    """Result: a percentage for people: +25 %, 12.5 %."""
    rounded = percent.quantize(Decimal("0.1"), ROUND_HALF_UP)
    text = f"{rounded:f}".removesuffix(".0")
    return f"{'+' if signed and rounded > 0 else ''}{text} %".replace("-", "−")
