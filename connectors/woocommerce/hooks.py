"""WooCommerce's webhook signature (woocommerce.md 22)."""

import hashlib
import hmac
from base64 import b64encode


def signature_is_right(body: bytes, *, secret: str, signature: str) -> bool:
    """Is `signature` (X-WC-Webhook-Signature) the one of the raw `body`? Takes as long for a near miss as for a far one. An
    empty secret or signature is never right."""
    expected = b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    return bool(secret) and hmac.compare_digest(expected, signature.encode())
