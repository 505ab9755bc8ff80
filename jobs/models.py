"""What the schedule did, and whether it is alive (engine.md, reliability.md cases 13, 14 and 20)."""

from django.db import models


class JobSlot(models.Model):
    """One run of one job of the schedule, at the moment it was due. Whoever opens it first opens it for all, so two schedulers
    give one run. The message that wakes a worker only names it: it may be lost, and doubled.

    Work that was asked for otherwise, and lost its worker, has a row here too: its attempts are counted.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waits for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        SET_ASIDE = "set_aside", "Set aside: it ends its worker"
        SKIPPED = "skipped", "Not run: a newer one took its place"

    OPEN = (State.QUEUED, State.RUNNING)

    job = models.CharField(max_length=255)
    slot = models.DateTimeField(help_text="When it was due, UTC.")
    task = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=160, blank=True)
    queued_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField("allowed until", null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField("what became of it", blank=True)

    class Meta:
        ordering = ["-slot", "-id"]
        verbose_name = "scheduled run"
        constraints = [models.UniqueConstraint(fields=["job", "slot"], name="one_run_per_slot")]
        indexes = [
            models.Index(fields=["state"], condition=models.Q(state__in=["queued", "running"]), name="slots_open"),
            models.Index(fields=["-slot"], name="slots_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.job}, {self.slot:%Y-%m-%d %H:%M:%S} UTC"


class Heartbeat(models.Model):
    """A sign of life of a part that nobody would miss at once. `silent_since` is set while a worker has noticed that it is
    silent."""

    SCHEDULE = "schedule"

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField("last sign of life")
    process = models.CharField(max_length=160, blank=True)
    silent_since = models.DateTimeField(null=True, blank=True)
    noticed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "sign of life"
        verbose_name_plural = "signs of life"

    def __str__(self) -> str:
        return self.name.capitalize()
