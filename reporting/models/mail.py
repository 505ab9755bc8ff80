"""Which report goes to whom by mail, and what became of each."""

import uuid
from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from connectors.models import Connection
from reporting.core.report import Every

MOST = 50  # addresses


class Period(models.TextChoices):
    DAILY = Every.DAILY.value, "Daily report"
    WEEKLY = Every.WEEKLY.value, "Weekly report"
    MONTHLY = Every.MONTHLY.value, "Monthly report"


def addresses_in(text: str) -> list[str]:
    """Result: the addresses of a text, one a line or with commas between, each once."""
    return list(dict.fromkeys(filter(None, (part.strip() for part in text.replace(",", "\n").splitlines()))))


def addresses_valid(text: str) -> None:
    """Refuses what is no address, and too many."""
    found = addresses_in(text)
    for one in found:
        try:
            validate_email(one)
        except ValidationError:
            raise ValidationError(f"“{one[:80]}” is no e-mail address.") from None
    if len(found) > MOST:
        raise ValidationError(f"No more than {MOST} addresses, please: use a list of your mail server's.")


class ReportMail(models.Model):
    """One report that goes out by itself when its period is over. Periods that were over before `since` do not."""

    every = models.CharField("report", max_length=10, choices=Period)
    store = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="report_mails",
        verbose_name="shop",
        help_text="Empty: all shops together.",
    )
    to = models.TextField(
        "to", validators=[addresses_valid], help_text="E-mail addresses, one a line. Each gets a mail of its own."
    )
    send_at = models.TimeField(
        "at", default=time(7), help_text="By the shop's clock. Weekly ones on Mondays, monthly ones on the first of the month."
    )
    is_active = models.BooleanField("in use", default=True)
    since = models.DateTimeField(editable=False)

    history = HistoricalRecords(excluded_fields=["since"])

    class Meta:
        ordering = ["every", "pk"]
        verbose_name = "report by mail"
        verbose_name_plural = "reports by mail"

    def __str__(self) -> str:
        return f"{self.get_every_display()} of {self.store or 'all shops'}"

    @property
    def addresses(self) -> list[str]:
        return addresses_in(self.to)


class ReportDelivery(models.Model):
    """One report to one address, for one period once. `state` says how far its mail has come: what was given to the mail server
    without an answer may have arrived, so it is not sent again unless a person says so."""

    class State(models.TextChoices):
        PENDING = "pending", "To be sent"
        MAKING = "making", "Being made"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        HELD = "held", "Held: it failed again and again"
        UNKNOWN = "unknown", "Held: it may have arrived"
        DROPPED = "dropped", "Not wanted any more"

    STUCK = (State.HELD, State.UNKNOWN)

    mail = models.ForeignKey(
        ReportMail, on_delete=models.SET_NULL, null=True, blank=True, related_name="deliveries", verbose_name="sent for"
    )
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    store = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    every = models.CharField("report", max_length=10, choices=Period)
    last = models.DateField("up to and including")
    to = models.EmailField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    message = models.UUIDField(default=uuid.uuid4, editable=False, help_text="Its Message-ID, the same with each attempt.")
    error = models.TextField("what went wrong", blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "report sent"
        verbose_name_plural = "reports sent"
        constraints = [
            models.UniqueConstraint(
                fields=["mail", "every", "last", "to"], condition=Q(mail__isnull=False), name="report_once_a_period"
            )
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="reports_to_send"),
            models.Index(fields=["claimed_at"], condition=Q(state__in=["making", "sending"]), name="reports_being_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.get_every_display()} up to {self.last:%Y-%m-%d} to {self.to}"
