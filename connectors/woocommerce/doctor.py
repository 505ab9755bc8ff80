"""The connection test: what works, what doesn't, and why, in the owner's words. It changes nothing in the shop."""

from collections.abc import Callable
from typing import Any

from connectors.contract import CheckReport, Finding
from connectors.errors import ConfigError, ConnectorError, RetryableError
from connectors.woocommerce.client import Client

_STATUS = "environment.version,environment.wp_version,settings.currency"
_FATAL = frozenset({"not_wordpress", "redirect", "redirect_https", "address", "ca_file", "blocked"})


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
            self._try(self._may_write)
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
        offset = about.get("gmt_offset")
        zone = about.get("timezone_string") or (f"UTC{float(offset):+g}" if offset not in (None, "") else "")
        for name, value in (("name", about.get("name")), ("time_zone", zone)):
            if value:
                self._facts[name] = str(value)

    def _read_products(self) -> None:
        page = self._client.page("products", {"per_page": "1", "_fields": "id"})
        self._facts["products"] = str(page.total)
        self._good(f"The key may read: the shop has {page.total} products.")
        if not page.total:
            self._bad("The shop has no products.", "Check that this is the right shop.")

    def _read_version(self) -> None:
        status = self._client.one("system_status", {"_fields": _STATUS})
        environment, settings = status.get("environment") or {}, status.get("settings") or {}
        found = {
            "version": environment.get("version"),
            "wordpress": environment.get("wp_version"),
            "currency": settings.get("currency"),
        }
        self._facts.update({name: str(value) for name, value in found.items() if value})
        self._good(f"WooCommerce {found['version'] or '?'}, prices in {found['currency'] or '?'}.")

    def _read_stock_setting(self) -> None:
        setting = self._client.one("settings/products/woocommerce_manage_stock", {"_fields": "id,value"})
        self._facts["manage_stock"] = str(setting.get("value", ""))
        if setting.get("value") == "no":
            self._bad(
                "Stock management is switched off in the whole shop: it would accept our numbers and ignore them.",
                "Switch it on in WooCommerce → Settings → Products → Inventory.",
            )
        else:
            self._good("Stock management is switched on.")

    def _may_write(self) -> None:
        """An empty batch asks for the permission and changes nothing; the `Allow` header names methods, not what a key may."""
        self._client.change("products/batch", {"update": []}, items=0)
        self._good("The key may write.")
