"""The outbox: attempts to pay what is owed (ledger.md §2, §6)."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q

from connectors.models import Connection
from inventory.models import Listing, StockLevel
from sync.models.run import SyncRun


class OutboundWrite(models.Model):
    """One attempt to tell one listing, or one level at a till, what it is owed.

    `planned_from` and `planned_to` are for people; what is sent is worked out again at the claim. At most one row per target
    is open (not yet decided), by constraint.
    """

    class State(models.TextChoices):
        PENDING = "pending", "To be sent"
        SENDING = "sending", "Sent, not answered"
        UNKNOWN = "unknown", "Outcome unknown: will be looked up"
        APPLIED = "applied", "Applied"
        REJECTED = "rejected", "Refused"
        NOT_SENT = "not_sent", "Without effect"
        CANCELLED = "cancelled", "Not needed any more"

    OPEN = (State.PENDING, State.SENDING, State.UNKNOWN)
    UNANSWERED = (State.SENDING, State.UNKNOWN)
    FAILED = (State.REJECTED, State.NOT_SENT)

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="writes")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="writes")
    level = models.ForeignKey(StockLevel, on_delete=models.PROTECT, null=True, blank=True, related_name="writes")
    run = models.ForeignKey(
        SyncRun,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="writes",
        help_text="Empty: told between runs, as soon as an order came.",
    )
    operation_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    carries_number = models.BooleanField(default=True, help_text="No: it tells a price, a barcode or a cost only.")
    planned_from = models.DecimalField(max_digits=14, decimal_places=3)
    planned_to = models.DecimalField(max_digits=14, decimal_places=3)
    delta = models.DecimalField(
        max_digits=14, decimal_places=3, null=True, blank=True, help_text="What was sent; empty until it is claimed."
    )
    reason = models.CharField(max_length=250, blank=True)
    is_released = models.BooleanField(default=False, help_text="Refused or failed, but a manager wants it tried again.")
    attempts = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(
        "failed in a row", default=0, help_text="How often it came to nothing and nobody could say why, earlier writes included."
    )
    at_most = models.PositiveSmallIntegerField(
        "together at most",
        null=True,
        blank=True,
        help_text="How many may go out with it in one request; fewer after a request that failed as a whole. 1: alone.",
    )
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("retry_write", "Can have a refused write tried again")]
        constraints = [
            models.UniqueConstraint(
                fields=["listing"],
                condition=Q(state__in=["pending", "sending", "unknown"], listing__isnull=False),
                name="one_open_write_per_listing",
            ),
            models.UniqueConstraint(
                fields=["level"],
                condition=Q(state__in=["pending", "sending", "unknown"], level__isnull=False),
                name="one_open_write_per_level",
            ),
            models.CheckConstraint(
                condition=Q(listing__isnull=True, level__isnull=False) | Q(listing__isnull=False, level__isnull=True),
                name="write_has_one_target",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "state"]),
            models.Index(fields=["level", "state"]),
            models.Index(fields=["answered_at"], name="writes_by_answer"),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.planned_from.normalize():f} → {self.planned_to.normalize():f}"

    @property
    def owed(self) -> Decimal:
        """What it was about to pay, in units."""
        return self.planned_to - self.planned_from

    @property
    def target(self) -> Listing | StockLevel | None:
        return self.listing or self.level
