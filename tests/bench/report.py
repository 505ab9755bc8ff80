"""What was measured, as a page for people and as one line for programs."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.bench import matching
from tests.bench.engine import Engine
from tests.bench.shop import NETWORK

if TYPE_CHECKING:
    from tests.bench.full_sync import FullSync, Share, Timing

WAYS = {
    "b1": "B1: one PUT for every item, nothing read",
    "b2": "B2: everything in batches of 100, changed or not",
    "b3": "B3: every item looked up by SKU, then PUT",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the benchmarks; what was not asked for is missing."""

    full_sync: "FullSync | None"
    engines: Sequence[Engine]
    quick: bool = False
    load: tuple[float, float] = (0.0, 0.0)  # the machine's load before and after: noise, where it is more than our own
    matching: "Sequence[matching.Measured]" = ()

    def as_json(self) -> dict[str, Any]:
        """Result: the ratios. `floor` is our time over the floor's, `b1` to `b3` the other's time over ours."""
        found: dict[str, Any] = {}
        if self.full_sync:
            found["full_sync"] = {str(share.percent): _ratios(self.full_sync, share) for share in self.full_sync.shares}
        if self.engines:
            found["engine"] = {
                engine.database: {
                    f"seconds_{engine.large.items // 1000}k": round(engine.large.seconds, 2),
                    "rss_mb": round(engine.large.rss_mb),
                    "growth": round(engine.growth, 3),
                }
                for engine in self.engines
            }
        if self.matching:
            found["matching"] = {one.name: asdict(one) for one in self.matching}
        return found | ({"quick": True} if self.quick else {})

    def as_text(self) -> str:
        """Result: the tables, in Markdown."""
        parts = [_full_sync_text(self.full_sync)] if self.full_sync else []
        parts += [_engine_text(self.engines)] if self.engines else []
        parts += [f"## Matching items with listings\n\n{matching.table(self.matching)}"] if self.matching else []
        return "\n\n".join(parts)


def _ratios(measured: "FullSync", share: "Share") -> dict[str, float]:
    ours = share.ours.seconds
    return {"floor": round(ours / share.floor.seconds, 3)} | {
        way: round(measured.others[way].seconds / ours, 1 if way != "b2" else 2) for way in WAYS
    }


def _full_sync_text(measured: "FullSync") -> str:
    cost = measured.cost
    lines = [
        f"## A full sync of {measured.pairs:,} pairs (WooCommerce {measured.version})",
        "",
        "| changed | we, s | requests | floor, s | requests | we ÷ floor | B1 ÷ we | B2 ÷ we | B3 ÷ we |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for share in measured.shares:
        ratios = _ratios(measured, share)
        lines.append(
            f"| {share.percent} % ({share.changed:,}) | {share.ours.seconds:.2f} | {share.ours.requests} | "
            f"{share.floor.seconds:.2f} | {share.floor.requests} | **{ratios['floor']:.3f}** | "
            f"**{ratios['b1']:.1f}** | **{ratios['b2']:.2f}** | **{ratios['b3']:.1f}** |"
        )
    lines += ["", "| the others, whatever has changed | one at a time, s | two at once, s | requests |", "|---|---|---|---|"]
    for way, words in WAYS.items():
        alone, together = measured.others[way], measured.others[f"{way}_lanes"]
        lines.append(f"| {words} | {_seconds(alone)} | {_seconds(together)} | {alone.requests:,} |")
    samples = sorted({timing.sample for timing in measured.others.values() if timing.sample})
    lines += [
        "",
        f"\\* measured on a sample ({', '.join(map(str, samples))} items of both kinds) and scaled to all." if samples else "",
        "",
        "What the store costs here, beside what was recorded of a real one on two cores (ratios, not absolutes):",
        "",
        "| request | here, without the network, s | recorded, s |",
        "|---|---|---|",
        *_cost_rows(measured),
        "",
        f"The network adds {NETWORK * 1000:.0f} ms to each. The store works on {cost.concurrency} requests at once; more wait.",
    ]
    return "\n".join(lines)


def _cost_rows(measured: "FullSync") -> list[str]:
    cost = measured.cost
    ready = cost.latency - NETWORK
    rows = [
        ("a page of 100", ready + cost.page_cost + 100 * cost.row_cost, "0.23"),
        ("one product by SKU", ready + cost.page_cost + cost.row_cost, "0.06"),
        ("PUT one", ready + cost.item_cost, "0.087"),
        ("batch of 25", ready + 25 * cost.item_cost, "0.83"),
        ("batch of 100", ready + 100 * cost.item_cost, "3.0–3.4"),
    ]
    return [f"| {what} | {seconds:.3f} | {recorded} |" for what, seconds, recorded in rows]


def _seconds(timing: "Timing") -> str:
    return f"{timing.seconds:.1f}" + (r" \*" if timing.sample else "")


def _engine_text(engines: Sequence[Engine]) -> str:
    large = engines[0].large.items
    small = engines[0].small.items
    head = f"| database | {small:,} pairs, s | {large:,} pairs, s | growth | most resident, MB | statements per 1,000 items |"
    lines = [f"## The engine alone: {large:,} aligned, unchanged pairs", "", head, "|---|---|---|---|---|---|"]
    for engine in engines:
        per_thousand = engine.large.statements * 1000 / engine.large.items
        lines.append(
            f"| {engine.database} | {engine.small.seconds:.2f} | **{engine.large.seconds:.2f}** | **{engine.growth:.2f}** | "
            f"**{engine.large.rss_mb:.0f}** | {per_thousand:.1f} |"
        )
    return "\n".join(lines)


def page(measured: Measured) -> str:
    """Result: docs/benchmarks.md."""
    before, after = measured.load
    return PAGE.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}", cores=os.cpu_count(), before=before, after=after, tables=measured.as_text()
    )


PAGE = """# Benchmarks

Measured on {date} on a machine with {cores} cores, which the sandbox's store shares. Its load was {before:.1f} before and
{after:.1f} after; the benchmarks alone make it about 1, more is noise from others, which slows the engine most. Run them again:

    make bench                              # everything, about seven minutes
    python -m tests.bench --only engine     # or full_sync; --quick for a look; --version 10.2 for the older WooCommerce
    python -m tests.bench --write           # writes this page, but for the admin's pages
    python -m tests.bench.pages --write     # those: their section at the end

The last line is JSON: `floor` is our time over the floor's (goal: ≤ 1.10), `b1` to `b3` the other's time over ours (goals:
B1 ≥ 60 with nothing changed and ≥ 30 with 5 %; B2 > 1 throughout).

{tables}

## What is compared

- **We**: `inventory_sync --full` on SQLite against the sandbox's store over https: the till's new export read and booked, the
  shop read and counted, its orders read, what is owed worked out, written and logged. Two requests at once, fewer while the
  store is slow.
- **Floor**: a bare loop that knows beforehand how many pages there are and what should change, asks as little as the API
  allows, two at once, and keeps nothing: no ledger, no receipts, no orders, no check that a row was missed.
- **B1, B2, B3**: what other connectors do, as plain functions that make one request after the other, as those do. What they
  would take with two at once stands beside it. B2 reads nothing and writes everything: two at once it beats any sync that
  looks first when *everything* has changed, and loses by far when little has.
- After each sync and each floor the store is read and compared with what it should show; a wrong number fails the run.
- **The engine alone**: a store that costs nothing, in a process of its own. Each sync runs in a fresh process; memory is the
  most that was ever resident. The time includes waiting for the sandbox to answer and for the database. Growth is the cost of
  an item at the large size over that at the small one (goal: ≤ 1.15). Goals for 100,000 pairs: ≤ 20 s and ≤ 300 MB.

Times are medians, ours and the floor's measured in turns; 100 % changed is measured once.
"""
