"""Words and tones for what the engine writes down."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connectors.contract import Side
from connectors.models import Connection
from connectors.registry import LABELS, kind_get
from kit.admin.parts import UNKNOWN, badge, number
from sync.models import OutboundWrite, PriceWrite, SyncRun, SyncState, TillFeed
from sync.prices.log import price_shown

RUN_TONES = {
    SyncRun.State.RUNNING: "info",
    SyncRun.State.HELD: "warn",
    SyncRun.State.DONE: "ok",
    SyncRun.State.PARTIAL: "warn",
    SyncRun.State.FAILED: "bad",
    SyncRun.State.DISCARDED: "mute",
}
STATE_TONES = {
    SyncState.Status.SYNCED: "ok",
    SyncState.Status.PENDING: "info",
    SyncState.Status.CONFLICT: "warn",
    SyncState.Status.ERROR: "bad",
}
WRITE_TONES = {
    OutboundWrite.State.PENDING: "info",
    OutboundWrite.State.SENDING: "info",
    OutboundWrite.State.UNKNOWN: "warn",
    OutboundWrite.State.APPLIED: "ok",
    OutboundWrite.State.REJECTED: "bad",
    OutboundWrite.State.NOT_SENT: "mute",
    OutboundWrite.State.CANCELLED: "mute",
}
FEED_TONES = {
    TillFeed.State.APPLYING: "info",
    TillFeed.State.APPLIED: "ok",
    TillFeed.State.REFUSED: "mute",
    TillFeed.State.HELD: "warn",
    TillFeed.State.RELEASED: "info",
}

# What a run counts, in the words of its page and in the order in which people ask.
COUNT_WORDS = {
    "pairs": "pairs of till item and shop product",
    "in_step": "pairs in step",
    "waiting": "pairs that wait for a later look",
    "need_decision": "pairs that need a decision",
    "failed": "pairs that the shop refuses",
    "changes": "shop numbers that should change",
    "zeroed": "products that should show zero from now on",
    "writes": "numbers written to the shop",
    "till_writes": "adjustments booked at the till",
    "till_adjustments": "adjustments left for the till",
    "open_writes": "writes without an answer yet",
    "unknown": "writes whose outcome is unknown",
    "rejected": "writes that were refused",
    "not_sent": "writes without effect",
    "quarantined": "numbers not sent again, since they were refused or failed",
    "held_writes": "numbers that failed alone, and are held",
    "split": "requests that were refused as a whole, and sent in parts",
    "till_refused": "adjustments the till refused",
    "till_held": "adjustments not sent again, since the till refused them",
    "looked_up_landed": "unanswered writes that had landed",
    "looked_up_without_effect": "unanswered writes without effect",
    "feeds_applied": "till exports read",
    "feeds_seen_again": "till exports that were known already",
    "items": "items at the till",
    "items_new": "new items at the till",
    "items_missing": "items gone from the till's export",
    "till_opened": "shelves counted for the first time",
    "till_changed": "shelves that changed at the till",
    "till_readings_deferred": "till numbers put off until our writes are surely in",
    "catalogue": "products the shop showed",
    "listings": "products in the shop",
    "listings_new": "new products in the shop",
    "listings_missing": "products gone from the shop",
    "shop_opened": "products read for the first time",
    "shop_readings_deferred": "shop numbers put off because of news in between",
    "orders": "orders read",
    "online_units": "units sold online",
    "suspects": "shop numbers that nothing explains yet",
    "drifts": "shop numbers that were edited",
    "conflicts_opened": "conflicts for a person",
    "conflicts_closed": "conflicts that went by themselves",
    "price_changes": "prices that should change",
    "prices_written": "prices written to the shop",
    "prices_same": "prices that are the same on both sides",
    "price_reviews": "price changes that wait for a person",
    "price_reviews_new": "of them new",
    "prices_rejected": "price changes that a person has rejected",
    "prices_refused": "prices that could not be used",
    "prices_not_taken": "prices that the shop did not take",
    "prices_of_packs": "packs of several units, whose prices are left alone",
    "prices_of_parts": "products that have no price of their own",
    "till_prices_sent": "prices sent to the till",
    "till_prices_written": "prices taken over by the till",
    "barcodes_written": "barcodes filled in",
    "costs_written": "costs filled in",
    "failures": "problems",
    "notes": "notes",
}


def run_badge(run: SyncRun) -> SafeString:
    """Result: the state of a run; a dry one says so."""
    label = SyncRun.State(run.state).label.split(":")[0]
    return badge(f"{label} (dry run)" if run.dry_run else label, RUN_TONES[SyncRun.State(run.state)])


def write_badge(write: OutboundWrite) -> SafeString:
    """Result: the state of a write."""
    state = OutboundWrite.State(write.state)
    return badge(state.label.split(":")[0], WRITE_TONES[state])


def write_change(write: OutboundWrite) -> str:
    """Result: what a write changes, in words: its number, its price, or both."""
    price: PriceWrite | None = getattr(write, "price", None)
    said = [f"{number(write.planned_from)} → {number(write.planned_to)}"] if write.carries_number else []
    if price is not None and price.price_to is not None:
        said.append(f"price {price_shown(price.price_from) or UNKNOWN} → {price_shown(price.price_to)}")
    return ", ".join(said) or "a barcode or cost"


def counts_in_words(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Result: what a run counted, as (words, number), in the order people ask; a count without words keeps its name."""
    known = [(words, counts[name]) for name, words in COUNT_WORDS.items() if counts.get(name)]
    return known + [(name.replace("_", " "), count) for name, count in counts.items() if name not in COUNT_WORDS]


class RunFilter(admin.SimpleListFilter):
    """Shown only when a link came with one run: a list of all runs would be no help."""

    title = "run"
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        wanted = request.GET.get("run", "")
        return [(wanted, f"Only run {wanted}")] if wanted.isdigit() else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        return queryset.filter(run_id=wanted) if wanted and wanted.isdigit() else queryset


class SideFilter(admin.SimpleListFilter):
    """By one of the connections of a side."""

    side: Side

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = [kind for kind in LABELS if kind_get(kind).capabilities.side == self.side]
        return [(str(pk), name) for pk, name in Connection.objects.filter(kind__in=kinds).values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        return queryset.filter(**{self.parameter_name or "": wanted}) if wanted and wanted.isdigit() else queryset
