"""WooCommerce as a kind of connection."""

from django.conf import settings

from connectors.contract import Capabilities, Context, Kind, Side
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from connectors.woocommerce.store import WooCommerceStore


def _build(context: Context) -> WooCommerceStore:
    return WooCommerceStore(
        context.settings,
        context.credentials,
        record=context.record,
        now=context.now,
        allow_private=settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS,  # the operator's to decide, not the shop's admin's
    )


KIND = Kind(
    name="woocommerce",
    label="WooCommerce store",
    capabilities=Capabilities(
        side=Side.STORE,
        relative_writes=True,
        receipts=True,
        idempotent_writes=False,
        reads_orders=True,
        webhooks=True,
    ),
    settings=WooCommerceSettings,
    credentials=WooCommerceCredentials,
    build=_build,
)
