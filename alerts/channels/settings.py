"""What each kind of channel asks for. Values are checked here; forms are made from these models."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from connectors.settings.marks import Mark


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _address(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError(f"“{text[:80]}” is no e-mail address.") from None
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError("Write it like https://hooks.example.com/…, without a user name.")
    return text


WebAddress = Annotated[SecretStr, AfterValidator(lambda secret: SecretStr(_web_address(secret.get_secret_value())))]


class EmailSettings(Strict):
    to: Annotated[list[Annotated[str, AfterValidator(_address)]], Field(min_length=1, max_length=50)] = Field(
        title="To", description="E-mail addresses."
    )


class WebhookSettings(Strict):
    shape: Literal["slack", "json"] = Field(
        default="slack",
        title="Body",
        description="slack: text and blocks, for Slack, Mattermost, Rocket.Chat and the like. json: the alerts' fields too.",
    )
    ca_file: Annotated[str, Mark.AUTHORITY] = Field(
        default="", title="CA file", description="For a receiver with a certificate of your own making."
    )


class WebhookSecrets(Strict):
    url: Annotated[WebAddress, Mark.ADDRESS] = Field(
        title="Address", description="Whoever knows it can write there, so it is kept like a password."
    )
    secret: SecretStr = Field(
        default=SecretStr(""), title="Signing secret", description="Signs each message (docs/alerts.md). Empty: unsigned."
    )


class TillNoteSettings(Strict):
    till: Annotated[str, Field(min_length=1)] = Field(title="Till", description="The name of the till's connection.")


class Nothing(Strict):
    """A kind without secrets."""


CHANNEL_SETTINGS: Final[Mapping[str, type[BaseModel]]] = {
    "email": EmailSettings,
    "webhook": WebhookSettings,
    "till_note": TillNoteSettings,
}
CHANNEL_SECRETS: Final[Mapping[str, type[BaseModel]]] = {"email": Nothing, "webhook": WebhookSecrets, "till_note": Nothing}
Settings = dict[str, Any]
