"""A pretend WooCommerce that answers over HTTP like the real thing (recorded: 10.2.4 and 10.5.0)."""

from sandbox.woocommerce.app import StoreApp

__all__ = ["StoreApp"]
