"""How one store's prices are to be synced: what its owner and its own settings say. What is not known is never guessed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.contract import PriceFacts
from connectors.errors import ConfigError
from connectors.models import Connection
from connectors.money import decimals_of
from sync.core.prices import PriceRule, Rounding
from sync.models import PricePolicy, TillFeed

WHERE: Final = "Correct it under Price rules in the admin."
# What tills print beside a price, and the currencies it stands for.
_MARKS: Final = {
    "€": {"EUR"},
    "£": {"GBP", "EGP", "LBP", "GIP", "FKP", "SHP"},
    "$": {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "CLP", "COP", "ARS", "TWD"},
    "¥": {"JPY", "CNY"},
    "₩": {"KRW"},
    "₹": {"INR"},
    "zł": {"PLN"},
    "Kč": {"CZK"},
    "Ft": {"HUF"},
    "Fr": {"CHF"},
    "Fr.": {"CHF"},
}


@dataclass(frozen=True, slots=True)
class PriceTurn:
    """What a run needs to know to sync a store's prices. `rule` None: nobody owns them, only barcodes and costs are filled in."""

    policy: PricePolicy
    rule: PriceRule | None
    currency: str
    keeps_costs: bool | None
    is_whole: bool  # every price, or only those that a person has approved

    @property
    def decimals(self) -> int:
        return self.rule.decimals if self.rule else decimals_of(self.currency)


def price_policy_of(*, store: Connection) -> PricePolicy | None:
    """Result: the store's price rule, if it asks for anything to be done."""
    policy = PricePolicy.objects.filter(connection=store).first()
    return policy if policy and policy.asks_for_anything else None


def price_policy_needed(*, store: Connection) -> PricePolicy:
    """Result: as `price_policy_of`. Raises ConfigError where nothing is to be done."""
    policy = price_policy_of(store=store)
    if policy is None:
        raise ConfigError(
            f"Nobody has said who owns the prices of “{store.name}”, so they are not touched.",
            next_step="Say it under Price rules in the admin.",
            code="no_price_owner",
        )
    return policy


def price_turn_of(*, policy: PricePolicy, facts: PriceFacts, tills: Sequence[Connection], is_whole: bool) -> PriceTurn:
    """Result: all a run needs. Raises ConfigError for what contradicts itself, or must be said first."""
    store = policy.connection
    currency = store.currency or facts.currency
    if not currency:
        raise _error(
            "Nobody has said in which currency its prices are", store, "Set it on the connection, or test the connection."
        )
    if facts.currency and facts.currency != currency:
        raise _error(f"The shop's prices are in {facts.currency} by now, not in {currency}", store, "Set its currency anew.")
    _same_currency(store, currency, tills)
    rule = None
    if policy.price_source != PricePolicy.Source.NONE:
        rule = _rule(policy, facts, currency)
        _one_owner(policy, tills)
    return PriceTurn(policy, rule, currency, facts.keeps_costs, is_whole)


def _rule(policy: PricePolicy, facts: PriceFacts, currency: str) -> PriceRule:
    store, to_store = policy.connection, policy.price_source == PricePolicy.Source.POS
    in_till = policy.till_includes_tax
    if in_till is None:
        raise _error("Nobody has said whether tax is in the till's prices", store)
    in_store = _store_tax(policy, facts, in_till=in_till)
    if in_store != in_till and policy.tax_percent is None:
        sides = "the till's prices and not in the shop's" if in_till else "the shop's prices and not in the till's"
        raise _error(f"Tax is in {sides}, and nobody has said the rate", store)
    decimals = policy.decimals
    if decimals is None:
        decimals = decimals_of(currency) if facts.decimals is None else facts.decimals
    rounding = Rounding(policy.rounding)
    if rounding not in (Rounding.NONE, Rounding.CURRENCY) and decimals < 2:
        raise _error(f"Prices in {currency} have no two decimals, so they can't end as the rule says", store)
    return PriceRule(
        decimals=decimals,
        rounding=rounding,
        owner_includes_tax=in_till if to_store else in_store,
        other_includes_tax=in_store if to_store else in_till,
        tax_percent=policy.tax_percent,
        band_percent=policy.band_percent,
        min_margin_percent=policy.min_margin_percent,
        owns_sale_prices=policy.owns_sale_prices,
        to_store=to_store,
    )


def _store_tax(policy: PricePolicy, facts: PriceFacts, *, in_till: bool) -> bool:
    """Result: is tax in the shop's prices? A shop that adds none shows what a customer pays: as the till has it."""
    said = policy.store_includes_tax
    if facts.adds_tax is False:
        return in_till if said is None else said
    if said is not None and facts.includes_tax is not None and said != facts.includes_tax:
        word = "with" if facts.includes_tax else "without"
        raise _error(
            f"The shop's own settings say that its prices are entered {word} tax; the rule says otherwise", policy.connection
        )
    known = said if said is not None else facts.includes_tax
    if known is None:
        raise _error("Nobody has said whether tax is in the shop's prices, and its settings can't be read", policy.connection)
    return known


def _same_currency(store: Connection, currency: str, tills: Iterable[Connection]) -> None:
    for till in tills:
        if till.currency and till.currency != currency:
            raise _error(f"The till “{till.name}” has prices in {till.currency}, the shop in {currency}", store)
        newest = TillFeed.objects.filter(connection=till, state=TillFeed.State.APPLIED).order_by("-true_at", "-pk").first()
        for mark in (newest.figures.get("currencies") or ()) if newest else ():
            meant = _MARKS.get(mark, {mark} if len(mark) == 3 and mark.isupper() else None)
            if meant and currency not in meant:
                raise _error(f"The till “{till.name}” writes “{mark}” beside its prices, the shop's are in {currency}", store)


def _one_owner(policy: PricePolicy, tills: Sequence[Connection]) -> None:
    """Two shops that both tell one till its prices would overwrite each other's for ever."""
    if policy.price_source != PricePolicy.Source.STORE:
        return
    others = PricePolicy.objects.exclude(pk=policy.pk).filter(
        price_source=PricePolicy.Source.STORE, connection__is_active=True, connection__supply__location__connection__in=tills
    )
    if other := others.select_related("connection").first():
        raise _error(f"“{other.connection.name}” owns the prices of the same till", policy.connection)
    for till in tills:
        if not till.spec.capabilities.takes_prices:
            raise _error(f"The till “{till.name}” can't be told prices", policy.connection)


def _error(message: str, store: Connection, next_step: str = WHERE) -> ConfigError:
    return ConfigError(f"{message} (prices of “{store.name}”).", next_step=next_step, code="price_rule")
