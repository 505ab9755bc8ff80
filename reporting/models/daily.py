"""What is kept of each day, so that a month can be looked at without reading a month of rows."""

from django.db import models

from connectors.models import Connection
from reporting.metrics.figures import Figures


class DailyMetric(models.Model):
    """One connection's figures of one day, in its own time zone (docs/metrics.md). Times: latencies in seconds, answers in
    milliseconds; empty: nothing was measured. The standing figures (items, pairs) are those of the day's last measure."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="daily_metrics")
    day = models.DateField(db_index=True)
    items = models.PositiveIntegerField(default=0)
    items_aligned = models.PositiveIntegerField("items with a partner", default=0)
    pairs = models.PositiveIntegerField(default=0)
    pairs_known = models.PositiveIntegerField("pairs read on both sides", default=0)
    pairs_in_step = models.PositiveIntegerField(default=0)
    drift_minor = models.PositiveIntegerField("minor drift", default=0)
    drift_major = models.PositiveIntegerField("major drift", default=0)
    drift_critical = models.PositiveIntegerField("critical drift", default=0)
    conflicts = models.PositiveIntegerField("conflicts found", default=0)
    runs_ended = models.PositiveIntegerField("syncs that ended well", default=0)
    runs_failed = models.PositiveIntegerField("syncs that failed", default=0)
    writes_applied = models.PositiveIntegerField("changes carried", default=0)
    writes_refused = models.PositiveIntegerField("changes refused", default=0)
    latency_median = models.DecimalField("sync latency, median (s)", max_digits=12, decimal_places=3, null=True, blank=True)
    latency_p95 = models.DecimalField("sync latency, p95 (s)", max_digits=12, decimal_places=3, null=True, blank=True)
    calls = models.PositiveIntegerField("requests", default=0)
    calls_failed = models.PositiveIntegerField("requests that failed", default=0)
    call_median = models.DecimalField("answer, median (ms)", max_digits=10, decimal_places=1, null=True, blank=True)
    call_p95 = models.DecimalField("answer, p95 (ms)", max_digits=10, decimal_places=1, null=True, blank=True)
    measured_at = models.DateTimeField()

    class Meta:
        ordering = ["-day", "connection_id"]
        verbose_name = "daily figure"
        constraints = [models.UniqueConstraint(fields=["connection", "day"], name="metric_once_a_day")]

    def __str__(self) -> str:
        return f"{self.connection} on {self.day}"

    @property
    def figures(self) -> Figures:
        return Figures(**{name: getattr(self, name) for name in Figures.__dataclass_fields__})
