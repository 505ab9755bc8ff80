"""The shop as a site: its settings, what it says about itself, and the list of its addresses."""

from collections.abc import Callable
from typing import Any

from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.clock import SiteClock
from sandbox.woocommerce.errors import RestError, invalid
from sandbox.woocommerce.rest import EDIT, READ_ITEM, READ_LIST, Call, Reply, Route

# group, id, label, type, default, help
_OPTIONS = (
    ("products", "woocommerce_weight_unit", "Weight unit", "select", "kg", "This controls what unit you will define weights in."),
    ("products", "woocommerce_manage_stock", "Manage stock", "checkbox", "yes", "Enable stock management"),
    (
        *("products", "woocommerce_hold_stock_minutes", "Hold stock (minutes)", "number", "60"),
        "Hold stock (for unpaid orders) for x minutes. When this limit is reached, the pending order will be cancelled.",
    ),
    (
        *("products", "woocommerce_notify_low_stock_amount", "Low stock threshold", "number", "2"),
        "When product stock reaches this amount you will be notified via email.",
    ),
    (
        *("products", "woocommerce_notify_no_stock_amount", "Out of stock threshold", "number", "0"),
        'When product stock reaches this amount the stock status will change to "out of stock".',
    ),
    (
        *("products", "woocommerce_hide_out_of_stock_items", "Out of stock visibility", "checkbox", "no"),
        "Hide out of stock items from the catalog",
    ),
    (
        *("products", "woocommerce_stock_format", "Stock display format", "select", ""),
        "This controls how stock quantities are displayed on the frontend.",
    ),
    ("general", "woocommerce_store_address", "Address line 1", "text", "", "The street address for your business location."),
    ("general", "woocommerce_default_country", "Country / State", "select", "NL", "The country of your business location."),
    ("general", "woocommerce_calc_taxes", "Enable taxes", "checkbox", "no", "Enable tax rates and calculations"),
    ("general", "woocommerce_currency", "Currency", "select", "EUR", "The currency of your prices."),
    ("general", "woocommerce_price_thousand_sep", "Thousand separator", "text", ",", "The thousand separator of prices."),
    ("general", "woocommerce_price_decimal_sep", "Decimal separator", "text", ".", "The decimal separator of prices."),
    ("general", "woocommerce_price_num_decimals", "Number of decimals", "number", "2", "The decimals shown in prices."),
    ("tax", "woocommerce_prices_include_tax", "Prices entered with tax", "radio", "no", "Do prices include tax?"),
)
NAMESPACES = ["oembed/1.0", "wc/v3", "wc/v1", "wc-admin", "wc-analytics", "wc/store", "wc/store/v1", "wc/v2", "wp/v2"]


class SiteRoutes:
    """Settings, system status, currency, the index of wc/v3 and the root of the REST API."""

    def __init__(self, catalogue: Catalogue, *, version: str, on_change: Callable[[str, str], None]) -> None:
        self.values = {(group, name): default for group, name, _, _, default, _ in _OPTIONS}
        self._catalogue, self._version, self._on_change = catalogue, version, on_change
        self._clock: SiteClock = catalogue.clock
        self.listed: list[Route] = []

    def routes(self) -> list[Route]:
        """Result: the addresses below /wp-json. The index and the root are open to everybody."""
        setting = "/wc/v3/settings/<group>/<name>"
        return [
            Route(("GET",), "/wc/v3/settings/<group>", self.list_settings, READ_LIST),
            Route(("GET",), setting, self.get_setting, READ_ITEM),
            Route(("PUT", "POST", "PATCH"), setting, self.put_setting, EDIT),
            Route(("GET",), "/wc/v3/system_status", self.get_status, READ_LIST),
            Route(("GET",), "/wc/v3/data/currencies/current", self.get_currency, READ_ITEM),
            Route(("GET",), "/wc/v3", self.get_index, ""),
            Route(("GET",), "/", self.get_root, ""),
        ]

    def list_settings(self, call: Call, group: str) -> Reply:
        rows = [self._setting(call, group, name) for known, name in self.values if known == group]
        if not rows:
            raise RestError(404, "rest_setting_setting_group_invalid", "Invalid setting group.")
        return Reply([{key: value for key, value in row.items() if key != "group_id"} for row in rows])

    def get_setting(self, call: Call, group: str, name: str) -> Reply:
        return Reply(self._setting(call, group, name))

    def put_setting(self, call: Call, group: str, name: str) -> Reply:
        self._setting(call, group, name)
        value = call.body.get("value")
        if not isinstance(value, (str, int)):
            raise invalid("value", "rest_invalid_type", "value is not of type string.")
        self.set(group, name, str(value))
        return Reply(self._setting(call, group, name))

    def set(self, group: str, name: str, value: str) -> None:
        """Change a setting, and what depends on it. Raises KeyError for one that isn't there."""
        if (group, name) not in self.values:
            raise KeyError(f"{group}/{name}")
        self.values[group, name] = value
        self._on_change(name, value)

    def _setting(self, call: Call, group: str, name: str) -> dict[str, Any]:
        row = next((row for row in _OPTIONS if row[:2] == (group, name)), None)
        if row is None:
            raise RestError(404, "rest_setting_setting_invalid", "Invalid setting.")
        _, _, label, kind, default, text = row
        address = f"{call.base}/wp-json/wc/v3/settings/{group}"
        return {
            "id": name,
            "label": label,
            "description": text,
            "type": kind,
            "default": default,
            "tip": text,
            "value": self.values[group, name],
            "group_id": group,
            "_links": {
                "self": [{"href": f"{address}/{name}", "targetHints": {"allow": ["GET", "POST", "PUT", "PATCH"]}}],
                "collection": [{"href": address}],
            },
        }

    def get_status(self, call: Call) -> Reply:
        currency = self.values["general", "woocommerce_currency"]
        return Reply(
            {
                "environment": {
                    "home_url": call.base,
                    "site_url": call.base,
                    "version": self._version,
                    "wp_version": "6.8.5",
                    "wp_multisite": False,
                    "wp_cron": True,
                    "language": "en_US",
                    "server_info": "nginx/1.22.1",
                    "php_version": "8.2.35",
                    "php_max_execution_time": 300,
                    "default_timezone": "UTC",
                },
                "active_plugins": [{"plugin": "woocommerce/woocommerce.php", "name": "WooCommerce", "version": self._version}],
                "settings": {
                    "api_enabled": False,
                    "force_ssl": False,
                    "currency": currency,
                    "currency_symbol": "&euro;",
                    "currency_position": "left",
                    "thousand_separator": self.values["general", "woocommerce_price_thousand_sep"],
                    "decimal_separator": self.values["general", "woocommerce_price_decimal_sep"],
                    "number_of_decimals": int(self.values["general", "woocommerce_price_num_decimals"]),
                    "HPOS_enabled": True,
                    "HPOS_sync_enabled": False,
                    "enabled_features": ["analytics", "custom_order_tables"],
                },
                "post_type_counts": self._counts(),
            }
        )

    def _counts(self) -> list[dict[str, str]]:
        products = sum(1 for product in self._catalogue.products.values() if product.parent is None)
        variations = len(self._catalogue.products) - products
        return [{"type": "product", "count": str(products)}, {"type": "product_variation", "count": str(variations)}]

    def get_currency(self, call: Call) -> Reply:
        code = self.values["general", "woocommerce_currency"]
        address = f"{call.base}/wp-json/wc/v3/data/currencies"
        links = {
            "self": [{"href": f"{address}/{code}", "targetHints": {"allow": ["GET"]}}],
            "collection": [{"href": address}],
        }
        return Reply({"code": code, "name": "Euro", "symbol": "&euro;", "_links": links})

    def get_index(self, call: Call) -> Reply:
        up = {"up": [{"href": f"{call.base}/wp-json/"}]}
        return Reply({"namespace": "wc/v3", "routes": self._addresses(call, "/wc/v3"), "_links": up})

    def get_root(self, call: Call) -> Reply:
        now = self._clock.now()
        return Reply(
            {
                "name": "Hydro Test Shop",
                "description": "",
                "url": call.base,
                "home": call.base,
                "gmt_offset": self._clock.offset(now) / 3600,
                "timezone_string": self._clock.time_zone,
                "namespaces": NAMESPACES,
                "authentication": {},
                "routes": self._addresses(call, "/"),
            }
        )

    def _addresses(self, call: Call, below: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for route in self.listed:
            if route.path.startswith(below):
                found.setdefault(route.path, {"namespace": "wc/v3", "methods": []})["methods"] += route.methods
        return found
