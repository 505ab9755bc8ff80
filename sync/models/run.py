"""One pass of the engine over a store and the tills that supply it, and what went wrong in it."""

from django.conf import settings
from django.db import models

from connectors.models import Connection


class SyncRun(models.Model):
    """One sync of one store. A killed run stays `running`; the next run of the same store takes it up again (`resumed`)."""

    class Kind(models.TextChoices):
        FULL = "full", "Full: both sides read whole"
        INCREMENTAL = "incremental", "Incremental: what is new"
        PRICES = "prices", "Price: both sides read whole, with prices"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        HELD = "held", "Held: waiting for a manager"
        DONE = "done", "Done"
        PARTIAL = "partial", "Done, with problems"
        FAILED = "failed", "Failed"
        DISCARDED = "discarded", "Discarded by a manager"

    class Phase(models.TextChoices):
        SETTLE = "settle", "Looking up unanswered writes"
        TILL = "till", "Reading the till"
        STORE = "store", "Reading the shop"
        PLAN = "plan", "Deciding"
        DELIVER = "deliver", "Writing"
        LOOK_AGAIN = "look_again", "Looking again"
        FINISHED = "finished", "Finished"

    store = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="runs")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING, db_index=True)
    phase = models.CharField(max_length=12, choices=Phase, default=Phase.SETTLE)
    dry_run = models.BooleanField(default=False)
    is_observed = models.BooleanField("in observe mode", default=False, help_text="The shop was read, and nothing written to it.")
    epoch = models.PositiveBigIntegerField(default=0)
    resumed = models.PositiveIntegerField("taken up again", default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    preview = models.JSONField(default=list, blank=True, help_text="What it would change, where it did not write: first rows.")
    held_for = models.JSONField("held because", default=list, blank=True)
    message = models.TextField(blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        permissions = [("start_run", "Can start a sync"), ("release_run", "Can release or discard a held run or feed")]
        constraints = [
            models.UniqueConstraint(fields=["store"], condition=models.Q(state="running"), name="one_open_run_per_store")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().split(':')[0]} sync {self.pk} of {self.store}"


class PlannedChange(models.Model):
    """One thing that a run in observe mode would have written. Kept of the newest such run of each store that read both sides
    whole, for its go-live report. `size`: how far apart the two are, to find the largest by."""

    class Field(models.TextChoices):
        QUANTITY = "quantity", "Quantity"
        PRICE = "price", "Price"
        FACTS = "facts", "Barcode or cost"
        TILL_PRICE = "till_price", "Price at the till"

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="planned")
    alignment = models.ForeignKey("alignment.Alignment", on_delete=models.CASCADE, related_name="+")
    field = models.CharField(max_length=10, choices=Field)
    shows = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    target = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    size = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        ordering = ["-size", "id"]
        indexes = [models.Index(fields=["run", "field", "-size"], name="planned_by_size")]

    def __str__(self) -> str:
        return f"{self.get_field_display()} of {self.alignment}"


class RunProblem(models.Model):
    """One thing that one run could not do: which row, item or listing, why, and what to do about it."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="problems")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=250, help_text="SKU, listing or file")
    line = models.PositiveIntegerField(null=True, blank=True)
    code = models.CharField(max_length=60)
    message = models.TextField()
    next_step = models.TextField(blank=True)
    fails_run = models.BooleanField("counts as a failure", default=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"
