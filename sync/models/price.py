"""Who owns prices, which price changes wait for a person, and which are under way (prices.md)."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from alignment.models import Alignment
from connectors.models import Connection
from inventory.models import Item
from sync.models.run import SyncRun
from sync.models.write import OutboundWrite

_ENDINGS = ("end_99", "end_95", "step_05")


class PricePolicy(models.Model):
    """The price rule of one store. Without one, or with source “nobody”, no price is touched in either direction."""

    class Source(models.TextChoices):
        NONE = "none", "Nobody: prices are not touched"
        POS = "pos", "The till: the shop is told"
        STORE = "store", "The shop: the till is told"

    class Round(models.TextChoices):
        CURRENCY = "currency", "To the currency's decimals"
        END_99 = "end_99", "To the nearest price that ends in .99"
        END_95 = "end_95", "To the nearest price that ends in .95"
        STEP_05 = "step_05", "To the nearest 0.05"
        NONE = "none", "Not at all: a price that doesn't fit is refused"

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="price_policy", verbose_name="store")
    price_source = models.CharField("prices are owned by", max_length=10, choices=Source, default=Source.NONE)
    till_includes_tax = models.BooleanField(
        "tax is in the till's prices", null=True, blank=True, help_text="Must be said before prices are synced."
    )
    store_includes_tax = models.BooleanField(
        "tax is in the shop's prices", null=True, blank=True, help_text="Unknown: as the shop's own settings say."
    )
    tax_percent = models.DecimalField(
        "tax rate in percent",
        max_digits=6,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Needed where tax is in one side's prices only. Margins are of the price without it.",
    )
    decimals = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(4)],
        help_text="Empty: as the shop's settings say, else as the currency.",
    )
    rounding = models.CharField(max_length=10, choices=Round, default=Round.CURRENCY)
    band_percent = models.DecimalField(
        "a person sees changes over (percent)",
        max_digits=6,
        decimal_places=2,
        default=Decimal(20),
        validators=[MinValueValidator(0)],
    )
    min_margin_percent = models.DecimalField(
        "a person sees margins below (percent)",
        max_digits=6,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Of the price without tax. A price below cost always waits.",
    )
    guard_percent = models.PositiveSmallIntegerField(
        "hold a run that changes over (percent)",
        default=30,
        validators=[MaxValueValidator(100)],
        help_text="Of all prices at once. A manager then sees a preview and releases it.",
    )
    owns_sale_prices = models.BooleanField(
        "end sales",
        default=False,
        help_text="The till owns sale prices too: the shop's are taken away. Else they are left alone.",
    )
    push_barcodes = models.BooleanField(
        "fill in barcodes", default=False, help_text="The till's valid barcodes go to products that have none (GTIN, UPC, EAN)."
    )
    push_costs = models.BooleanField(
        "fill in costs", default=False, help_text="The till's costs go to the shop, if its “Cost of goods sold” is switched on."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["connection_id"]
        verbose_name = "price rule"
        constraints = [
            models.CheckConstraint(
                condition=Q(price_source="none") | Q(till_includes_tax__isnull=False), name="price_owner_says_tax"
            )
        ]

    def __str__(self) -> str:
        return f"Prices of {self.connection}"

    @property
    def asks_for_anything(self) -> bool:
        """Does a sync of everything look after prices, barcodes or costs, too?"""
        return self.price_source != self.Source.NONE or self.push_barcodes or self.push_costs

    def clean(self) -> None:
        if self.price_source == self.Source.NONE:
            return
        if self.till_includes_tax is None:
            raise ValidationError({"till_includes_tax": "Say whether tax is in the till's prices."})
        differ = self.store_includes_tax not in (None, self.till_includes_tax)
        if differ and self.tax_percent is None:
            raise ValidationError({"tax_percent": "Tax is in one side's prices only: say the rate."})
        if self.rounding in _ENDINGS and self.price_source != self.Source.POS:
            raise ValidationError({"rounding": "Such prices are made for the shop, from the till's."})
        if self.rounding in _ENDINGS and self.decimals is not None and self.decimals < 2:
            raise ValidationError({"rounding": "It needs a currency with two decimals."})


class PriceReview(models.Model):
    """A price change that waits for a person, and what became of it. The figures are those it was decided on.

    `source_price` is the owner's own; a rejected change is not asked about again until that changes.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        APPROVED = "approved", "Approved: to be written"
        WRITTEN = "written", "Approved and written"
        REJECTED = "rejected", "Rejected"
        GONE = "gone", "Gone by itself"

    WAITING = (State.OPEN, State.APPROVED)

    store = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="price_reviews")
    alignment = models.ForeignKey(Alignment, on_delete=models.PROTECT, related_name="price_reviews")
    price_source = models.CharField("owner", max_length=10, choices=PricePolicy.Source)
    currency = models.CharField(max_length=3)
    source_price = models.DecimalField("owner's price", max_digits=14, decimal_places=4)
    old_price = models.DecimalField("price now", max_digits=14, decimal_places=4, null=True, blank=True)
    new_price = models.DecimalField(max_digits=14, decimal_places=4)
    ends_sale = models.BooleanField("ends a sale", default=False)
    change_percent = models.DecimalField("change (percent)", max_digits=12, decimal_places=2, null=True, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    margin_before = models.DecimalField("margin now (percent)", max_digits=12, decimal_places=2, null=True, blank=True)
    margin_after = models.DecimalField("margin then (percent)", max_digits=12, decimal_places=2, null=True, blank=True)
    why = models.CharField("waits because", max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    detected_at = models.DateTimeField(db_index=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was decided so.")

    history = HistoricalRecords()

    class Meta:
        ordering = ["-detected_at", "-id"]
        verbose_name = "price review"
        permissions = [("decide_price", "Can approve or reject price changes")]
        constraints = [
            models.UniqueConstraint(
                fields=["alignment"], condition=Q(state__in=["open", "approved"]), name="one_waiting_price_per_pair"
            )
        ]
        indexes = [models.Index(fields=["store", "state"], name="price_reviews_by_state")]

    def __str__(self) -> str:
        return f"Price of {self.alignment}"


class PriceWrite(models.Model):
    """What an outbox row tells a shop's product besides its number, or instead of it (then the row's `delta` is 0)."""

    write = models.OneToOneField(OutboundWrite, on_delete=models.CASCADE, related_name="price")
    price_from = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    price_to = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True, help_text="Empty: the price stays.")
    source_price = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, blank=True, help_text="The till's, from which it was worked out."
    )
    decimals = models.PositiveSmallIntegerField(default=2)
    ends_sale = models.BooleanField(default=False)
    barcode = models.CharField(max_length=14, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    review = models.ForeignKey(PriceReview, on_delete=models.PROTECT, null=True, blank=True, related_name="writes")
    reason = models.CharField(max_length=250, blank=True)
    is_alone = models.BooleanField(default=True, help_text="The row carries no number.")
    was_taken = models.BooleanField(null=True, blank=True, help_text="Did the shop show it afterwards? Empty: not known yet.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.write.target}: {self.price_from} → {self.price_to}"


class TillPrice(models.Model):
    """One attempt to tell a till an item's retail price. At most one per item is open, by constraint."""

    State = OutboundWrite.State
    OPEN, UNANSWERED = OutboundWrite.OPEN, OutboundWrite.UNANSWERED

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="till_prices")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="price_writes")
    alignment = models.ForeignKey(Alignment, on_delete=models.PROTECT, related_name="till_prices")
    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, related_name="till_prices")
    review = models.ForeignKey(PriceReview, on_delete=models.PROTECT, null=True, blank=True, related_name="till_writes")
    operation_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=OutboundWrite.State, default=OutboundWrite.State.PENDING)
    price_from = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    price_to = models.DecimalField(max_digits=14, decimal_places=4)
    decimals = models.PositiveSmallIntegerField(default=2)
    reason = models.CharField(max_length=250, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "price told to a till"
        verbose_name_plural = "prices told to tills"
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(state__in=["pending", "sending", "unknown"]), name="one_open_price_per_item"
            )
        ]
        indexes = [models.Index(fields=["connection", "state"], name="till_prices_by_state")]

    def __str__(self) -> str:
        return f"{self.item}: {self.price_from} → {self.price_to}"
