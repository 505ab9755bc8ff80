"""What the page of one run shows."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from alignment.models import Alignment
from kit.admin.parts import UNKNOWN, duration, number
from sync.admin.parts import counts_in_words, run_badge, write_badge, write_change
from sync.models import OutboundWrite, SyncRun

PREVIEW_SHOWN = 50
PROBLEMS_SHOWN = 100
WRITES_SHOWN = 25


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One number that the run would write."""

    item_name: str
    listing_name: str
    sku: str
    woo_sku: str
    shows: str
    would_show: str
    difference: str
    empties: bool


def run_page(run: SyncRun, *, preview_rows: int | None = PREVIEW_SHOWN) -> dict[str, Any]:
    """Result: the template's context for one run, with at most so many rows of its preview (None: all that were kept)."""
    problems, writes = run.problems.select_related("connection"), run.writes.select_related("listing", "level__item", "price")
    problem_total, write_total = problems.count(), writes.count()
    return {
        "run": run,
        "state": run_badge(run),
        "is_running": run.state == SyncRun.State.RUNNING,
        "is_held": run.state == SyncRun.State.HELD,
        "sentence": run.message or f"At work: {run.get_phase_display().lower()}.",
        "tone": {SyncRun.State.FAILED: "bad", SyncRun.State.DONE: "", SyncRun.State.RUNNING: "info"}.get(
            SyncRun.State(run.state), "warn"
        ),
        "took": duration(run.started_at, run.finished_at),
        "counts": counts_in_words(run.counts),
        "preview": _preview(run, preview_rows),
        "preview_total": len(run.preview),
        "changes_total": max(run.counts.get("changes", 0), len(run.preview)),
        "problems": problems[:PROBLEMS_SHOWN],
        "problem_total": problem_total,
        "writes": [(write, *_write_words(write)) for write in writes[:WRITES_SHOWN]],
        "write_total": write_total,
        "log_total": run.log.count(),
        "feeds": run.feeds.all(),
    }


def _preview(run: SyncRun, most: int | None) -> list[PreviewRow]:
    rows = run.preview[:most]
    pairs = Alignment.objects.filter(
        listing__connection=run.store, status=Alignment.Status.CONFIRMED, item__sku__in=[row["sku"] for row in rows]
    )
    names = {
        (sku, woo_sku): (item_name, listing_name)
        for sku, woo_sku, item_name, listing_name in pairs.values_list("item__sku", "listing__sku", "item__name", "listing__name")
    }
    return [_preview_row(row, *names.get((row["sku"], row["woo_sku"]), ("", ""))) for row in rows]


def _preview_row(row: dict[str, str], item_name: str, listing_name: str) -> PreviewRow:
    if row.get("field") == "price":
        prices = (row["from"] or UNKNOWN, row["to"])
        return PreviewRow(item_name, listing_name, row["sku"], row["woo_sku"], *prices, difference="price", empties=False)
    shows, would_show = Decimal(row["from"]), Decimal(row["to"])
    return PreviewRow(
        item_name=item_name,
        listing_name=listing_name,
        sku=row["sku"],
        woo_sku=row["woo_sku"],
        shows=number(shows),
        would_show=number(would_show),
        difference=number(would_show - shows, signed=True),
        empties=would_show == 0,
    )


def _write_words(write: OutboundWrite) -> tuple[str, str, str, SafeString]:
    """Result: name, SKU, the change in words, and the state of one write."""
    item = write.level.item if write.level else write.listing
    return (item.name if item else "", str(item or ""), write_change(write), write_badge(write))
