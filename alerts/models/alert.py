"""What a person should know, while it lasts and after."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from alerts.rules.words import RULES, Code, Severity
from connectors.models import Connection
from inventory.models import Item, Listing
from sync.models import SyncRun


class Alert(models.Model):
    """One cause that some rule found. There is one row for a rule and subject while the cause lasts (`cause_gone_at` empty),
    whatever people do with it meanwhile; a cause that comes back soon takes its row up again.

    `round` rises whenever people must hear of it (anew): each channel tells each round once.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SNOOZED = "snoozed", "Snoozed"
        RESOLVED = "resolved", "Resolved by a person"
        GONE = "gone", "Gone by itself"

    class Level(models.IntegerChoices):
        LOW = Severity.LOW.value, "Low"
        MEDIUM = Severity.MEDIUM.value, "Medium"
        HIGH = Severity.HIGH.value, "High"
        CRITICAL = Severity.CRITICAL.value, "Critical"

    rule = models.CharField(max_length=30, choices=[(code.value, about.title) for code, about in RULES.items()])
    subject = models.CharField(max_length=120, editable=False, help_text="What it is about, for telling it from others.")
    severity = models.PositiveSmallIntegerField(choices=Level)
    title = models.CharField("about", max_length=300)
    words = models.TextField("what happened")
    next_step = models.TextField("what to do", blank=True)
    figures = models.JSONField(default=dict, blank=True)
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    item = models.ForeignKey(
        Item, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts", verbose_name="product"
    )
    listing = models.ForeignKey(Listing, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    run = models.ForeignKey(SyncRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")

    since = models.DateTimeField(help_text="When its cause began, as far as is known.")
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="When its cause was last found.")
    times_seen = models.PositiveIntegerField(default=1)
    came_back = models.PositiveIntegerField(default=0, help_text="How often its cause went and soon came back.")
    round = models.PositiveIntegerField(default=1, editable=False)
    cause_gone_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField("told to the lead", null=True, blank=True)
    retried_at = models.DateTimeField("tried again", null=True, blank=True, editable=False)

    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts"
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    notes = models.TextField(blank=True)

    # What it says now is no decision: it may change with every look.
    history = HistoricalRecords(
        excluded_fields=["last_seen_at", "times_seen", "figures", "retried_at", "title", "words", "next_step", "run"]
    )

    class Meta:
        ordering = ["-severity", "-opened_at", "-id"]
        permissions = [("handle_alert", "Can snooze, assign, resolve and reopen alerts")]
        constraints = [
            models.UniqueConstraint(fields=["rule", "subject"], condition=Q(cause_gone_at__isnull=True), name="alert_once"),
            models.CheckConstraint(
                condition=Q(state="snoozed", snoozed_until__isnull=False) | (~Q(state="snoozed") & Q(snoozed_until__isnull=True)),
                name="snoozed_says_until",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "snoozed"], cause_gone_at__isnull=True)
                | Q(state="gone", cause_gone_at__isnull=False)
                | Q(state="resolved"),
                name="open_while_it_lasts",
            ),
        ]
        indexes = [
            models.Index(fields=["-severity", "-opened_at"], condition=Q(state="open"), name="open_alerts"),
            models.Index(fields=["rule", "cause_gone_at"], name="alerts_by_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()}: {self.title}"

    @property
    def code(self) -> Code:
        return Code(self.rule)
