"""A shop whose prices are synced."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from sync.models import PricePolicy, SyncLog, SyncRun
from tests.sync.shop import Shop, product

PRICES = SyncRun.Kind.PRICES


class Till:
    """What a test of prices asks a shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def reprice(self, **prices: str) -> None:
        """New prices at the till; its export lies there ten minutes later."""
        for sku, price in prices.items():
            self.shop.till.reprice(sku, Decimal(price))
        self.shop.clock.tick(minutes=10)
        self.shop.export()

    def write_numbers_like(self, example: str) -> None:
        """A person has set how the till writes its numbers."""
        self.shop.pos.settings = {**self.shop.pos.settings, "number_format": example}
        self.shop.pos.save()

    def sync(self, **options: Any) -> SyncRun:
        self.shop.clock.tick(minutes=1)
        return self.shop.sync(PRICES, **options)

    def shown(self, field: str = "regular_price") -> dict[str, str]:
        """What the shop keeps, by SKU."""
        return {each.sku: getattr(each, field) for each in self.shop.app.catalogue.products.values() if each.sku}

    def edit(self, sku: str, **fields: str) -> None:
        """Somebody edits a product in the shop."""
        for name, value in fields.items():
            setattr(self.shop.app.product_by_sku(sku), name, value)

    def sent(self, field: str = "regular_price") -> dict[str, list[Any]]:
        """What was sent to the shop, by SKU, in order."""
        found: dict[str, list[Any]] = {}
        for request in self.shop.app.writes:
            for item in request.body["update"]:
                if field in item:
                    found.setdefault(self.shop.app.product(item["id"]).sku, []).append(item[field])
        return found

    def logged(self, source: str = "") -> list[tuple[str, str, str, str]]:
        """(SKU, old, new, reason) of each price that changed, oldest first."""
        rows = SyncLog.objects.filter(action="price_update").order_by("id")
        rows = rows.filter(source=source) if source else rows
        return list(rows.values_list("alignment__item__sku", "old_value", "new_value", "reason"))


@pytest.fixture
def priced(open_shop: Callable[..., Shop]) -> Callable[..., Till]:
    """A running shop, its till asking 5.00 and the shop 5 for each SKU, with a price rule."""

    def make(
        skus: tuple[str, ...] = ("MUG", "CUP", "POT"),
        *,
        currency: str = "EUR",
        decimals: str = "2",
        listed: list[dict[str, Any]] | None = None,
        options: dict[str, Any] | None = None,
        **rule: Any,
    ) -> Till:
        rows = listed if listed is not None else [product(100 + n, sku, 10, regular_price="5") for n, sku in enumerate(skus)]
        shop = open_shop(stock=dict.fromkeys(skus, 10), listed=rows, **(options or {}))
        shop.app.site.set("general", "woocommerce_currency", currency)
        shop.app.site.set("general", "woocommerce_price_num_decimals", decimals)
        shop.store.currency = currency
        shop.store.save()
        shop.running()
        PricePolicy.objects.create(connection=shop.store, **{"price_source": "pos", "till_includes_tax": True, **rule})
        return Till(shop)

    return make
