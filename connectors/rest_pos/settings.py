"""What an owner types to connect a till by its API; the messages are for them."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.settings.marks import Mark

_TYPICAL = "https://till.example"
Percent = Annotated[int, Field(ge=0, le=100)]


class RestPosSettings(BaseModel):
    """How to reach one till, and when to doubt it. Only `url` is required."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, Mark.ADDRESS] = Field(
        title="Till's address", description=f"Where its API answers, without /v1: {_TYPICAL}"
    )
    ca_file: Annotated[str, Mark.AUTHORITY] = Field(
        "", title="CA file", description="Only for a till with a certificate of your own making."
    )
    connect_timeout: float = Field(10, gt=0, le=60, description="Seconds to wait for the till to pick up.")
    read_timeout: float = Field(30, gt=0, le=60, description="Seconds to wait for an answer.")
    page_limit: int = Field(1000, ge=1, le=1000, description="Rows per request when reading.")
    lanes: int = Field(2, ge=1, le=4, description="Requests at once, at most; fewer while the till is slow.")
    settle_seconds: float = Field(
        30, ge=0, le=120, description="How long the till may go on working on an adjustment after we gave up waiting."
    )
    complete_every_hours: float = Field(
        20, gt=0, le=168, description="Read the whole stock list that often, to notice items that are gone; else only changes."
    )
    max_shrink_percent: Percent = Field(20, description="Hold a whole list with more than this share of items gone.")
    max_zeroed_percent: Percent = Field(20, description="Hold what empties more than this share of shelves.")
    guard_floor: int = Field(10, ge=0, description="Changes of up to this many items never hold anything.")

    @field_validator("url")
    @classmethod
    def _url_is_the_till(cls, url: str) -> str:
        url = url.strip().rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"Write the till's address with https:// in front, like {_TYPICAL}.")
        if parts.username or parts.password:
            raise ValueError("Leave name and password out of the address; the token goes into its own field.")
        if parts.query or parts.fragment:
            raise ValueError("Leave out everything from ? or # on.")
        if parts.path.endswith("/v1"):
            raise ValueError(f"Leave out /v1: {url.removesuffix('/v1')}")
        return url


class RestPosCredentials(BaseModel):
    """The token that the till's maker or its settings page gives out."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: SecretStr

    @field_validator("token")
    @classmethod
    def _token_is_one_word(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value().strip().removeprefix("Bearer ").strip()
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("The token is one word without spaces: copy it again.")
        return SecretStr(text)
