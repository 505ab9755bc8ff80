"""How a shop writes its prices, by its own settings."""

import re

from connectors.contract import PriceFacts
from connectors.errors import ConfigError, RejectedError
from connectors.wire import evidence, label
from connectors.woocommerce.client import Client

_MOST_DECIMALS = 4


def price_facts_read(client: Client) -> PriceFacts:
    """Result: currency, decimals, tax and costs as the shop has them. A key without the shop's settings learns the currency only.
    Raises ConnectorError where the shop can't be asked at all."""
    try:
        general = _settings(client, "general")
        adds_tax = {"yes": True, "no": False}.get(general.get("woocommerce_calc_taxes", ""))
        tax = _settings(client, "tax") if adds_tax else {}
    except (ConfigError, RejectedError):
        said = client.one("data/currencies/current", {"_fields": "code"})
        return PriceFacts(currency=evidence(said.get("code"), most=3), keeps_costs=_keeps_costs(client))
    decimals = general.get("woocommerce_price_num_decimals", "")
    return PriceFacts(
        currency=evidence(general.get("woocommerce_currency"), most=3),
        decimals=min(int(decimals), _MOST_DECIMALS) if re.fullmatch("[0-9]{1,9}", decimals) else None,
        adds_tax=adds_tax,
        includes_tax={"yes": True, "no": False}.get(tax.get("woocommerce_prices_include_tax", "")),
        keeps_costs=_keeps_costs(client),
    )


def _settings(client: Client, group: str) -> dict[str, str]:
    rows = client.rows(f"settings/{group}", {"_fields": "id,value"})
    return {label(row.get("id"), most=200): label(row.get("value"), most=200) for row in rows}


def _keeps_costs(client: Client) -> bool | None:
    """The field is there only while the shop's “Cost of goods sold” is switched on (woocommerce_answers.md 34)."""
    page = client.page("products", {"per_page": "1", "_fields": "id,cost_of_goods_sold"})
    return "cost_of_goods_sold" in page.rows[0] if page.rows else None
