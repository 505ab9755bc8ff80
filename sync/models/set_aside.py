"""What a store showed and nobody can read: named, left as it was, and not forgotten."""

from django.db import models

from connectors.contract import Sort
from connectors.models import Connection


class SetAside(models.Model):
    """One product or order that can't be read, or an order of which a line can't. The row goes with the first reading that can
    be used, or when the store has no such thing any more."""

    class Of(models.TextChoices):
        LISTING = Sort.LISTING.value, "Product"
        ORDER = Sort.ORDER.value, "Order"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="set_aside")
    sort = models.CharField("what", max_length=10, choices=Of)
    remote_id = models.PositiveBigIntegerField()
    name = models.CharField(max_length=250)
    code = models.CharField(max_length=60)
    message = models.TextField("cause")
    next_step = models.TextField(blank=True)
    listings = models.JSONField(
        default=list, blank=True, help_text="The products it names: what the shop shows of them can't be explained meanwhile."
    )
    since = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True, help_text="When a run told of it last. Empty: none has yet.")

    class Meta:
        ordering = ["since", "id"]
        verbose_name = "thing set aside"
        verbose_name_plural = "things set aside"
        constraints = [models.UniqueConstraint(fields=["connection", "sort", "remote_id"], name="set_aside_once")]

    def __str__(self) -> str:
        return self.name
