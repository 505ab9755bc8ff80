"""WooCommerce as a kind of connection."""

from connectors.contract import Capabilities, Context, Kind, Side
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from connectors.woocommerce.store import WooCommerceStore


def _build(context: Context) -> WooCommerceStore:
    return WooCommerceStore(
        context.settings,
        context.credentials,
        record=context.record,
        now=context.now,
        folders=context.folders,
        allow_private=context.allow_private,
        rest=context.rest,
        zone=context.zone,
    )


KIND = Kind(
    name="woocommerce",
    label="WooCommerce store",
    capabilities=Capabilities(side=Side.STORE, webhooks=True),
    settings=WooCommerceSettings,
    credentials=WooCommerceCredentials,
    build=_build,
)
