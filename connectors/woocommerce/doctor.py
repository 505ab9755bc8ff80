"""The connection test: what works, what doesn't, and why, in the owner's words. It changes nothing in the shop."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from connectors.contract import CheckReport, Finding
from connectors.errors import ConfigError, ConnectorError, RetryableError
from connectors.wire import OddValueError, decimal, label
from connectors.woocommerce.client import Client
from connectors.woocommerce.hooks import hooks_read
from connectors.woocommerce.prices import price_facts_read

_STATUS = "environment.version,environment.wp_version,settings.currency"
_CLOCKS_AGREE = timedelta(minutes=1)
_FATAL = frozenset({"not_wordpress", "redirect", "redirect_https", "address", "ca_file", "folder_not_open", "blocked", "cached"})


class Doctor:
    """One examination of one shop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._findings: list[Finding] = []
        self._facts: dict[str, str] = {}

    def report(self) -> CheckReport:
        """Result: the findings in the order of a person's questions. Stops where nothing further can be learnt."""
        if self._reach() and self._try(self._read_products):
            self._try(self._read_version, needed=False)
            self._try(self._read_stock_setting, needed=False)
            self._try(self._read_prices, needed=False)
            self._try(self._read_webhooks, needed=False)
            self._try(self._may_write)
            self._compare_clocks()
        return CheckReport(tuple(self._findings), self._facts)

    def _good(self, message: str, next_step: str = "") -> None:
        self._findings.append(Finding(ok=True, message=message, next_step=next_step))

    def _bad(self, message: str, next_step: str) -> None:
        self._findings.append(Finding(ok=False, message=message, next_step=next_step))

    def _try(self, step: Callable[[], None], *, needed: bool = True) -> bool:
        try:
            step()
        except ConnectorError as error:
            if needed:
                self._bad(error.message, error.next_step)
            else:
                self._good(f"Not everything could be looked at: {error.message}", "It works without.")
            return False
        return True

    def _reach(self) -> bool:
        """Is there a WordPress with WooCommerce? A site may hide its index; then the next question tells."""
        try:
            about = self._client.about()
        except ConnectorError as error:
            if isinstance(error, RetryableError) or (isinstance(error, ConfigError) and error.code in _FATAL):
                self._bad(error.message, error.next_step)
                return False
            about = {}
        namespaces = about.get("namespaces")
        if isinstance(namespaces, list) and "wc/v3" not in namespaces:
            self._bad("There is a WordPress at this address, but no WooCommerce.", "Install and activate WooCommerce there.")
            return False
        self._keep(about)
        if self._client.is_ssl:
            self._good("The shop answers over https.")
        else:
            self._good(
                "The shop answers over http: the key stays secret, but anybody on the way can read the rest.",
                "Use https unless the shop is in your own network.",
            )
        return True

    def _keep(self, about: dict[str, Any]) -> None:
        zone = about.get("timezone_string") or _zone(about.get("gmt_offset"))
        for name, value in (("name", about.get("name")), ("time_zone", zone)):
            if value:
                self._facts[name] = label(value, most=200)

    def _read_products(self) -> None:
        total = self._client.products_past_caches()
        self._facts["products"] = str(total)
        self._good(f"The key may read: the shop has {total} products.")
        if not total:
            self._bad("The shop has no products.", "Check that this is the right shop.")

    def _read_version(self) -> None:
        status = self._client.one("system_status", {"_fields": _STATUS})
        environment, settings = _part(status, "environment"), _part(status, "settings")
        found = {
            "version": environment.get("version"),
            "wordpress": environment.get("wp_version"),
            "currency": settings.get("currency"),
        }
        self._facts.update({name: label(value, most=60) for name, value in found.items() if value})
        self._good(f"WooCommerce {found['version'] or '?'}, prices in {found['currency'] or '?'}.")

    def _read_stock_setting(self) -> None:
        setting = self._client.one("settings/products/woocommerce_manage_stock", {"_fields": "id,value"})
        self._facts["manage_stock"] = label(setting.get("value"), most=60)
        if setting.get("value") == "no":
            self._bad(
                "Stock management is switched off in the whole shop: it would accept our numbers and ignore them.",
                "Switch it on in WooCommerce → Settings → Products → Inventory.",
            )
        else:
            self._good(
                "Stock management is switched on. The shop counts whole units: what the till sells by weight is rounded down."
            )

    def _read_prices(self) -> None:
        facts = price_facts_read(self._client)
        decimals = "" if facts.decimals is None else f" with {facts.decimals} decimals"
        if facts.adds_tax is None:
            self._good("The key may not look at the tax settings.", "Say under Prices whether tax is in the shop's prices.")
            return
        tax = "no tax is added" if not facts.adds_tax else f"tax is {'in' if facts.includes_tax else 'added to'} them"
        self._good(f"Prices are typed in{decimals}; {tax}.")
        self._facts["tax"] = tax

    def _read_webhooks(self) -> None:
        there = len(hooks_read(self._client))
        self._facts["webhooks"] = str(there)
        said = "none is set up" if not there else f"{there} {'is' if there == 1 else 'are'} set up, of anybody's"
        self._good(f"The key may see to webhooks, by which the shop tells of orders at once; {said}.")

    def _compare_clocks(self) -> None:
        ahead = self._client.clock_ahead
        if abs(ahead) < _CLOCKS_AGREE:
            self._good("The shop's clock agrees with ours.")
            return
        minutes, which = round(abs(ahead) / timedelta(minutes=1)), "ahead of" if ahead > timedelta(0) else "behind"
        self._good(
            f"The shop's clock is {minutes:,} minutes {which} ours. We reckon with it, as long as it stays so.",
            "Have the shop's host, or this machine, set its clock by the network.",
        )

    def _may_write(self) -> None:
        """An empty batch asks for the permission and changes nothing; the `Allow` header names methods, not what a key may."""
        self._client.change("products/batch", {"update": []}, items=0)
        self._good("The key may write.")


def _part(said: dict[str, Any], name: str) -> dict[str, Any]:
    part = said.get(name)
    return part if isinstance(part, dict) else {}


def _zone(offset: Any) -> str:
    """Result: a zone by its hours from UTC; "" where they can't be read."""
    try:
        return f"UTC{float(decimal(offset)):+g}"
    except OddValueError:
        return ""
