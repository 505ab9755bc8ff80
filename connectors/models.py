"""Connections to outside systems, and the log of what was asked of them."""

import json
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.crypto import salted_hmac
from encrypted_fields.fields import EncryptedJSONField
from pydantic import BaseModel
from pydantic import ValidationError as SettingsError
from simple_history.models import HistoricalRecords

from connectors.contract import Kind, Side
from connectors.errors import ConfigError
from connectors.registry import LABELS, kind_get
from connectors.rests import Rest, rest_of
from connectors.settings.allowed import folders_allowed
from kit.zones import zone_is_known


def settings_errors(error: SettingsError) -> list[str]:
    """Result: a validation failure of settings or credentials as lines a person can act on; never the value itself."""
    return [
        f"{'.'.join(str(part) for part in e['loc']) or 'settings'}: {e['msg'].removeprefix('Value error, ')}"
        for e in error.errors()
    ]


def time_zone_valid(name: str) -> None:
    """Refuses a time zone that this machine doesn't know."""
    if not zone_is_known(name):
        raise ValidationError(f"“{name}” is no time zone. Use a name such as Europe/Vienna or America/New_York.")


class Mode(models.TextChoices):
    OBSERVE = "observe", "Observe: read, plan and report, never write"
    LIVE = "live", "Live: write what is owed"


class Connection(models.Model):
    """One outside system with its credentials (architecture.md). Its lease lets one run at a time work on it; each run gets a
    higher epoch, and a write whose epoch is not the connection's any more is not sent."""

    name = models.SlugField(unique=True, help_text="Short, for commands and addresses: high-street-till")
    kind = models.CharField(max_length=40, choices=sorted(LABELS.items()))
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.OBSERVE)
    is_active = models.BooleanField("in use", default=True)
    settings = models.JSONField(default=dict, blank=True)
    credentials = EncryptedJSONField(default=dict, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC", validators=[time_zone_valid])
    currency = models.CharField(
        max_length=3, blank=True, validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters, such as EUR.")]
    )
    guard_zero_percent = models.PositiveSmallIntegerField(
        default=10,
        validators=[MaxValueValidator(100)],
        help_text="Hold a run that would set more than this share of pairs to zero.",
    )
    guard_shrink_percent = models.PositiveSmallIntegerField(
        default=20,
        validators=[MaxValueValidator(100)],
        help_text="Hold a run whose catalogue lost more than this share of its rows.",
    )
    facts = models.JSONField(default=dict, blank=True, editable=False)

    lease_owner = models.CharField(max_length=120, blank=True, editable=False)
    lease_epoch = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    last_ok_at = models.DateTimeField("last answered", null=True, blank=True, editable=False)
    last_error_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    last_error_code = models.CharField(max_length=60, blank=True, editable=False)
    failures_in_row = models.PositiveIntegerField(default=0, editable=False)
    rests_until = models.DateTimeField(null=True, blank=True, editable=False)  # it failed or is closed; a person ends it
    peace_until = models.DateTimeField(null=True, blank=True, editable=False)  # it asked for that (429); nobody ends it
    orders_read_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords(
        excluded_fields=[
            "credentials", "facts", "lease_owner", "lease_epoch", "lease_until", "last_ok_at", "last_error_at", "last_error",
            "last_error_code", "failures_in_row", "rests_until", "peace_until", "orders_read_until",
        ]
    )  # fmt: skip

    class Meta:
        ordering = ["name"]
        permissions = [("go_live", "Can let a connection write, or stop it")]

    def __str__(self) -> str:
        return self.name

    @property
    def spec(self) -> Kind:
        """The kind's definition. Raises ConfigError for a kind that is no longer there."""
        return kind_get(self.kind)

    @property
    def side(self) -> Side:
        return self.spec.capabilities.side

    @property
    def is_live(self) -> bool:
        return self.mode == Mode.LIVE

    def rest(self, now: datetime) -> Rest | None:
        """Result: the rest that it is left, by its own wish or ours; None: it may be asked."""
        return rest_of(rests_until=self.rests_until, peace_until=self.peace_until, now=now)

    def is_unasked_since_rest(self, now: datetime) -> bool:
        """Has its rest ended, and nobody has asked it since?"""
        ended = max(filter(None, (self.rests_until, self.peace_until)), default=None)
        asked = max(filter(None, (self.last_ok_at, self.last_error_at)), default=None)
        return ended is not None and ended <= now and (asked is None or asked < ended)

    def settings_parsed(self) -> BaseModel:
        """Result: the kind's settings object; where the kind asks for a time zone, the connection's, unless it is set apart.
        Raises ConfigError naming each wrong field."""
        model = self.spec.settings
        shared = {"timezone": self.time_zone} if "timezone" in model.model_fields else {}
        return self._parsed(model, {**shared, **self.settings}, "settings")

    def mark(self) -> str:
        """Result: a word that changes with what it takes to reach the system: its settings and the credentials that it needs."""
        needed = [name for name, info in self.spec.credentials.model_fields.items() if info.is_required()]
        kept = self.credentials if isinstance(self.credentials, dict) else {}
        said = json.dumps([self.settings, [kept.get(name) for name in needed]], sort_keys=True)
        return salted_hmac("evenstock.connection-mark", said, algorithm="sha256").hexdigest()

    def credentials_parsed(self) -> BaseModel:
        """Result: the kind's credentials. Raises ConfigError; a lost key shows as credentials that can't be read."""
        if not isinstance(self.credentials, dict):
            raise ConfigError(
                f"The credentials of “{self.name}” can't be decrypted.",
                next_step="Set the EVENSTOCK_SALT_KEYS and secret key they were saved with, or enter the credentials again.",
                code="credentials_unreadable",
            )
        return self._parsed(self.spec.credentials, self.credentials, "credentials")

    def _parsed(self, model: type[BaseModel], given: dict[str, Any], what: str) -> BaseModel:
        try:
            return model.model_validate(given)
        except SettingsError as error:
            raise ConfigError(
                f"The {what} of “{self.name}” are not right: {'; '.join(settings_errors(error)).removesuffix('.')}.",
                next_step="Correct them under Connections, or with the connect command.",
                code=f"bad_{what}",
            ) from None

    def clean(self) -> None:
        for why in folders_allowed().refused(self.spec.settings, self.settings).values() if self.is_active else ():
            raise ValidationError({"settings": why})
        for parse, name in ((self.settings_parsed, "settings"), (self.credentials_parsed, "credentials")):
            try:
                parse()
            except ConfigError as error:
                raise ValidationError({name: error.message}) from None


class ConnectionCheck(models.Model):
    """What the newest test of a connection found. `findings`: for each `tone`, `message` and `next_step`, as `Finding` has them;
    `mark`: the connection's own, as it was tested."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="check_made")
    at = models.DateTimeField()
    is_ok = models.BooleanField()
    findings = models.JSONField(default=list)
    mark = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"Test of {self.connection}"

    @property
    def is_of_now(self) -> bool:
        """Was the connection tested as it is set up now?"""
        return self.mark == self.connection.mark()


class ApiCall(models.Model):
    """One request to an outside system, without secrets. Status 0: no reply came."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="calls")
    at = models.DateTimeField(db_index=True)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    status = models.PositiveSmallIntegerField()
    latency_ms = models.PositiveIntegerField("latency (ms)")
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-at"]
        verbose_name = "API call"

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status or 'no reply'}"
