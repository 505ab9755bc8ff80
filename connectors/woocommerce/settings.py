"""What an owner types to connect a shop; the messages are for them."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.settings.marks import Mark

_TYPICAL = "https://shop.example"
_SHORTEST_SECRET = 16


class WooCommerceSettings(BaseModel):
    """How to reach one shop, and how hard to work it. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, Mark.ADDRESS] = Field(title="Shop address", description=f"As in the browser: {_TYPICAL}")
    ca_file: Annotated[str, Mark.AUTHORITY] = Field(
        "", title="CA file", description="Only for a shop with a certificate of your own making."
    )
    connect_timeout: float = Field(10, gt=0, le=60)
    read_timeout: float = Field(60, gt=0, le=300, description="How long to wait for an answer.")
    per_page: int = Field(100, ge=1, le=100, description="Rows per request when reading.")
    lanes: int = Field(2, ge=1, le=4, description="Requests at once, at most; fewer while the shop is slow.")
    batch_size: int = Field(100, ge=1, le=100, description="Changes per request, at most; fewer while the shop is slow.")
    settle_seconds: float = Field(90, ge=0, description="How long the shop may go on working after we gave up waiting.")
    order_overlap_seconds: float = Field(900, ge=1, description="How far back orders are read again, against clocks that differ.")
    version: str = Field("", title="WooCommerce version", description="Filled in by the connection test.")

    @field_validator("url")
    @classmethod
    def _url_is_the_shop(cls, url: str) -> str:
        url = url.strip().rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"Write the shop's address with https:// in front, like {_TYPICAL}.")
        if parts.username or parts.password:
            raise ValueError("Leave name and password out of the address; the key goes into its own fields.")
        if parts.query or parts.fragment:
            raise ValueError("Leave out everything from ? or # on.")
        if "/wp-json" in parts.path or "/wp-admin" in parts.path:
            raise ValueError(f"Write only the shop's address: {url.split('/wp-')[0]}")
        return url


class WooCommerceCredentials(BaseModel):
    """A REST API key: WooCommerce → Settings → Advanced → REST API, with Read/Write."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    consumer_key: SecretStr
    consumer_secret: SecretStr
    webhook_secret: Annotated[SecretStr, Mark.MADE] = Field(
        SecretStr(""),
        title="Webhook secret",
        description="Signs what the shop tells us. Made by the connect command; set your own for the WordPress snippet.",
    )

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secret_is_long(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value().strip()
        if text and len(text) < _SHORTEST_SECRET:
            raise ValueError(f"Make it {_SHORTEST_SECRET} characters or longer, by: openssl rand -hex 32")
        return SecretStr(text)

    @field_validator("consumer_key")
    @classmethod
    def _key_is_a_key(cls, key: SecretStr) -> SecretStr:
        return _prefixed(key, "ck_", "The consumer key starts with ck_: copy the upper one of the two.")

    @field_validator("consumer_secret")
    @classmethod
    def _secret_is_a_secret(cls, secret: SecretStr) -> SecretStr:
        return _prefixed(secret, "cs_", "The consumer secret starts with cs_: copy the lower one of the two.")


def _prefixed(value: SecretStr, prefix: str, message: str) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text.startswith(prefix) or not text.isascii() or any(character.isspace() for character in text):
        raise ValueError(message)
    return SecretStr(text)
