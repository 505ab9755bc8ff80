"""The kinds of connection there are. A kind's package is imported only when a connection of it is used."""

from importlib import import_module

from connectors.contract import Kind
from connectors.errors import ConfigError

KINDS: dict[str, str] = {
    "woocommerce": "connectors.woocommerce.kind",
    "pos_csv": "connectors.pos_csv.kind",
    "rest_pos": "connectors.rest_pos.kind",
}
LABELS: dict[str, str] = {
    "woocommerce": "WooCommerce store",
    "pos_csv": "Till by CSV files",
    "rest_pos": "Till by POS API",
}


def kind_get(name: str) -> Kind:
    """Result: the kind of that name. Raises ConfigError, naming the kinds there are, for any other."""
    if name not in KINDS:
        raise ConfigError(f"There is no connection kind “{name}”.", next_step=f"Use one of: {', '.join(sorted(KINDS))}.")
    kind: Kind = import_module(KINDS[name]).KIND
    return kind
