"""Where alerts go."""

from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from encrypted_fields.fields import EncryptedJSONField
from pydantic import BaseModel
from pydantic import ValidationError as SettingsError
from simple_history.models import HistoricalRecords

from alerts.channels.settings import CHANNEL_SECRETS, CHANNEL_SETTINGS
from alerts.models.alert import Alert
from alerts.rules.words import Code
from connectors.errors import ConfigError
from connectors.models import Connection, settings_errors, time_zone_valid
from connectors.settings.allowed import folders_allowed


def rules_valid(names: Any) -> None:
    """Refuses rules that don't exist."""
    unknown = [str(name) for name in names if name not in set(Code)] if isinstance(names, list) else ["not a list"]
    if unknown:
        raise ValidationError(f"There is no such rule: {', '.join(unknown)[:200]}.")


class Channel(models.Model):
    """One way to reach people: who, with what, when, and how much of it. What it takes is `alerts.rules.taking`."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"
        TILL_NOTE = "till_note", "Note at the till"

    class Pace(models.TextChoices):
        AT_ONCE = "at_once", "At once"
        DAILY = "daily", "Once a day, as a summary"
        WEEKLY = "weekly", "Once a week, as a summary"

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    is_active = models.BooleanField("in use", default=True)
    settings = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField(default=dict, blank=True)
    pace = models.CharField("when", max_length=10, choices=Pace, default=Pace.AT_ONCE)
    min_severity = models.PositiveSmallIntegerField("from", choices=Alert.Level, default=Alert.Level.HIGH)
    rules = models.JSONField("only these rules", default=list, blank=True, validators=[rules_valid], help_text="None: all.")
    connections = models.ManyToManyField(
        Connection, blank=True, related_name="channels", verbose_name="only these systems", help_text="None: all."
    )
    is_for_lead = models.BooleanField(
        "for the lead", default=False, help_text="Takes only what has lasted too long and what has failed again and again."
    )
    send_at = models.TimeField("summary at", default=time(7), help_text="In the channel's time zone; weekly ones on Mondays.")
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="From then on nothing is sent; it follows when the quiet ends."
    )
    quiet_to = models.TimeField(null=True, blank=True)
    critical_passes = models.BooleanField("critical ones pass the quiet hours", default=True)
    time_zone = models.CharField(max_length=60, default="UTC", validators=[time_zone_valid])
    digest_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_ok_at = models.DateTimeField("last delivered", null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["secrets", "digest_sent_at", "last_ok_at", "last_error"])

    class Meta:
        ordering = ["name"]
        permissions = [("test_channel", "Can send a test through a channel, and send held messages again")]
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True) | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="quiet_hours_have_two_ends",
            ),
            models.CheckConstraint(condition=~Q(kind="till_note") | Q(pace="at_once"), name="till_notes_are_no_digests"),
            models.CheckConstraint(condition=Q(is_for_lead=False) | Q(pace="at_once"), name="lead_hears_at_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def settings_parsed(self) -> BaseModel:
        """Result: the kind's settings. Raises ConfigError naming each wrong field."""
        return self._parsed(CHANNEL_SETTINGS[self.kind], self.settings, "settings")

    def secrets_parsed(self) -> BaseModel:
        """Result: the kind's secrets. Raises ConfigError; a lost key shows as secrets that can't be read."""
        if not isinstance(self.secrets, dict):
            raise ConfigError(
                f"The secrets of “{self.name}” can't be decrypted.", next_step="Enter them again.", code="credentials_unreadable"
            )
        return self._parsed(CHANNEL_SECRETS[self.kind], self.secrets, "secrets")

    def _parsed(self, model: type[BaseModel], given: dict[str, Any], what: str) -> BaseModel:
        try:
            return model.model_validate(given)
        except SettingsError as error:
            raise ConfigError(
                f"The {what} of “{self.name}” are not right: {'; '.join(settings_errors(error))}.",
                next_step="Correct them under Channels.",
                code=f"bad_{what}",
            ) from None

    def clean(self) -> None:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValidationError("Quiet hours need both ends, or none.")
        if self.pace != self.Pace.AT_ONCE and (self.kind == self.Kind.TILL_NOTE or self.is_for_lead):
            raise ValidationError({"pace": "Notes at the till, and what goes to the lead, are sent at once."})
        for why in folders_allowed().refused(CHANNEL_SETTINGS[self.kind], self.settings).values() if self.is_active else ():
            raise ValidationError({"settings": why})
        for parse, name in ((self.settings_parsed, "settings"), (self.secrets_parsed, "secrets")):
            try:
                parse()
            except ConfigError as error:
                raise ValidationError({name: error.message}) from None
