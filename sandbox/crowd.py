"""Shop life for the demo: customers at the till and in the web store, counts, deliveries, price changes. Seeded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from threading import Event
from typing import Protocol, TypeVar

from sandbox.till.shelf import Till

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a customer sees of one product or variation. `available` None: the store doesn't count it."""

    id: int
    available: int | None


class Storefront(Protocol):
    """What customers can do in a web store. Every method raises `StorefrontError` when the store won't."""

    def offers(self) -> Sequence[Offer]:
        """What is on sale, in an order that stays."""
        ...

    def place_order(self, lines: Sequence[tuple[int, int]], *, oversell: bool) -> int:
        """Buy and pay (id, quantity)s. Returns the order's id."""
        ...

    def cancel_order(self, order_id: int) -> None: ...

    def refund_order(self, order_id: int) -> None:
        """Give back one unit of the first line and put it back in stock."""
        ...


class StorefrontError(Exception):
    """The store refused or did not answer: the customer walks away."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing somebody did. `done` False: there was nothing to do it with, or the store would not."""

    action: str
    what: str = ""
    done: bool = True


WEIGHTS = {
    "till_sale": 45,
    "web_order": 32,
    "delivery": 8,
    "count": 5,
    "web_refund": 4,
    "web_cancel": 4,
    "reprice": 2,
}


class Crowd:
    """Does one thing at a time, `rate` a minute on average; the same seed does the same things to the same shop.

    Customers buy only what the channel they are in shows to be there, unless `oversell`. A few items are popular: the first
    tenth of a shuffled list gets about half of the sales.
    """

    def __init__(
        self,
        till: Till,
        store: Storefront | None,
        rng: Random,
        *,
        rate: float = 30,
        oversell: bool = False,
        weights: dict[str, int] | None = None,
        told: Callable[[Deed], object] = lambda _deed: None,
    ) -> None:
        self.till, self.store, self.rng = till, store, rng
        self.rate = rate
        self.oversell = oversell
        self.told = told
        self._weights = weights or WEIGHTS
        self._skus = sorted(till.skus())
        rng.shuffle(self._skus)
        self._tastes: list[int] = []  # places in the store's list, the popular ones first
        self._orders: list[int] = []

    def run(self, stop: Event) -> None:
        """Go on until `stop` is set. A rate of 0 does nothing at all."""
        while not stop.wait(self.rng.expovariate(self.rate / 60) if self.rate > 0 else 1):
            if self.rate > 0:
                self.step()

    def step(self) -> Deed:
        """One deed, chosen by weight."""
        action = self.rng.choices(list(self._weights), list(self._weights.values()))[0]
        try:
            what = getattr(self, f"_{action}")()
            deed = Deed(action, what, done=bool(what))
        except StorefrontError as error:
            deed = Deed(action, str(error), done=False)
        self.told(deed)
        return deed

    # -- deeds: each says what was done, or "" when there was nothing to do it with -------------------------------------

    def _till_sale(self) -> str:
        for _ in range(20):
            sku = self._popular(self._skus)
            on_hand = self.till.on_hand(sku)
            if on_hand >= 1 or self.oversell:
                n = self._few(None if self.oversell else int(on_hand))
                self.till.sell(sku, n)
                return f"{n} × {sku}"
        return ""

    def _delivery(self) -> str:
        sku = min((self._popular(self._skus) for _ in range(5)), key=self.till.on_hand)
        n = self.rng.choice((6, 12, 24))
        self.till.receive(sku, n)
        return f"{n} × {sku}"

    def _count(self) -> str:
        sku = self._popular(self._skus)
        counted = max(Decimal(0), self.till.on_hand(sku) + self.rng.choice((-3, -2, -1, -1, 0, 1)))
        changed = self.till.count(sku, counted)
        return f"{sku}: {counted}" if changed else f"{sku}: {counted} as expected"

    def _reprice(self) -> str:
        sku = self._popular(self._skus)
        price = self.till.item(sku).price
        if price is None:
            return ""
        new = (price * self.rng.choice((Decimal("0.9"), Decimal("0.95"), Decimal("1.05"), Decimal("1.1")))).quantize(price)
        self.till.reprice(sku, new)
        return f"{sku}: {new}"

    def _web_order(self) -> str:
        if self.store is None:
            return ""
        on_sale = self.store.offers()
        if not self._tastes:
            self._tastes = self.rng.sample(range(len(on_sale)), len(on_sale))
        there = [on_sale[at] for at in self._tastes if at < len(on_sale)]
        there = [offer for offer in there if self.oversell or offer.available is None or offer.available > 0]
        if not there:
            return ""
        chosen = {offer.id: offer for offer in (self._popular(there) for _ in range(self.rng.choice((1, 1, 1, 2, 3))))}
        lines = [(id_, self._few(None if self.oversell else offer.available)) for id_, offer in sorted(chosen.items())]
        order_id = self.store.place_order(lines, oversell=self.oversell)
        self._orders.append(order_id)
        return f"order {order_id}: " + ", ".join(f"{n} × #{id_}" for id_, n in lines)

    def _web_cancel(self) -> str:
        return self._with_an_order(lambda store, order_id: store.cancel_order(order_id))

    def _web_refund(self) -> str:
        return self._with_an_order(lambda store, order_id: store.refund_order(order_id))

    def _with_an_order(self, do: Callable[[Storefront, int], None]) -> str:
        """Do something, once, to one of the orders placed by this crowd."""
        if self.store is None or not self._orders:
            return ""
        order_id = self._orders.pop(self.rng.randrange(len(self._orders)))
        do(self.store, order_id)
        return f"order {order_id}"

    # -- taste -----------------------------------------------------------------------------------------------------------

    def _popular(self, things: Sequence[T]) -> T:
        return things[int(len(things) * self.rng.random() ** 3)]

    def _few(self, most: int | None) -> int:
        n = self.rng.choice((1, 1, 1, 2, 2, 3))
        return n if most is None else min(n, most)
