"""What stores tell us by webhook, and whether they still do (engine.md)."""

from django.db import models

from connectors.models import Connection


class InboundEvent(models.Model):
    """One thing that a store told, kept before it is answered, worked off afterwards. The same told twice is one row.

    `payload` is what we need of the body, without its customer; None where the body could not be read.
    """

    class State(models.TextChoices):
        NEW = "new", "To be done"
        DONE = "done", "Done"
        IGNORED = "ignored", "Nothing to do"
        FAILED = "failed", "Failed: needs a person"

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="events")
    topic = models.CharField(max_length=60)
    resource_id = models.PositiveBigIntegerField("order", help_text="The order's number in the store's own books.")
    body_hash = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the raw body.")
    payload = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    attempts = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField("what became of it", blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "webhook"
        permissions = [("retry_event", "Can have a webhook processed again")]
        constraints = [
            # Never by the delivery id: two orders of one second share it (woocommerce_answers.md 22).
            models.UniqueConstraint(fields=["connection", "topic", "resource_id", "body_hash"], name="event_once")
        ]
        indexes = [
            models.Index(fields=["connection", "id"], condition=models.Q(state="new"), name="events_to_do"),
            models.Index(fields=["connection", "received_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.resource_id}"


class HookHealth(models.Model):
    """Whether a store's webhooks are in place and do arrive. One row per store; the newest check is what counts."""

    class State(models.TextChoices):
        OFF = "off", "Off: polling does the work"
        WORKING = "working", "Working"
        RENEWED = "renewed", "Set up anew"
        LOSING = "losing", "Some do not arrive"
        FAILING = "failing", "Could not be checked"

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="hook_health")
    state = models.CharField(max_length=10, choices=State, default=State.OFF)
    message = models.TextField(blank=True)
    address = models.CharField(max_length=300, blank=True)
    secret_mark = models.CharField(max_length=64, blank=True, editable=False, help_text="Tells whether the secret has changed.")
    registered_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_until = models.DateTimeField(
        null=True, blank=True, help_text="Orders that changed before this moment have been looked for."
    )
    missed = models.PositiveIntegerField("missed lately", default=0, help_text="Orders only polling found, at the last check.")
    missed_in_all = models.PositiveIntegerField(default=0)
    renewals = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["connection_id"]
        verbose_name = "webhook health"
        verbose_name_plural = "webhook health"

    def __str__(self) -> str:
        return f"Webhooks of {self.connection}"


class WakeUp(models.Model):
    """A message that asks for a store's inbox to be looked at, on its way to a worker. Until it is taken, another one would say
    the same."""

    store = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="+")
    sent_at = models.DateTimeField()

    class Meta:
        verbose_name = "wake-up"

    def __str__(self) -> str:
        return f"{self.store}, {self.sent_at:%H:%M:%S} UTC"
