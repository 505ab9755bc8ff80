"""What the pages' benchmark found, as a table and as a section of docs/benchmarks.md."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

DOCS = Path("docs") / "benchmarks.md"
BEGIN, END = "<!-- pages: begin -->", "<!-- pages: end -->"
LIMIT_MS, LIMIT_STATEMENTS = 300, 15  # of every page, with 100,000 rows


@dataclass(frozen=True, slots=True)
class Page:
    """One page, asked for again and again. Times in milliseconds: by the clock, and of our own thread alone."""

    name: str
    statements: int
    median_ms: float
    p95_ms: float
    cpu_ms: float
    cpu_p95_ms: float
    slowest_ms: float
    slowest: str

    HEAD: ClassVar[str] = f"{'page':78} {'queries':>7} {'median ms':>9} {'p95 ms':>7} {'CPU ms':>7} {'CPU p95':>7}"

    def __str__(self) -> str:
        times = f"{self.median_ms:>9.0f} {self.p95_ms:>7.0f} {self.cpu_ms:>7.0f} {self.cpu_p95_ms:>7.0f}"
        return f"{self.name[:78]:78} {self.statements:>7} {times}"

    @property
    def is_met(self) -> bool:
        return self.statements <= LIMIT_STATEMENTS and self.p95_ms < LIMIT_MS

    @property
    def place(self) -> str:
        """The page itself, without how it was searched, filtered or sorted."""
        return self.name if self.name.startswith("Today") else self.name.partition(",")[0]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def pages_write(found: Mapping[str, Sequence[Page]], *, rows: int, docs: Path = DOCS) -> None:
    """Put the section in place of the last one, or at the end."""
    text = docs.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    docs.write_text(f"{before.rstrip()}\n\n{section(found, rows=rows)}{rest.partition(END)[2].rstrip()}\n", encoding="utf-8")


def pages_kept(docs: Path = DOCS) -> str:
    """Result: the section as it is there, for whoever writes the rest of the page anew; "" where there is none."""
    text = docs.read_text(encoding="utf-8") if docs.exists() else ""
    return f"\n{BEGIN}{text.partition(BEGIN)[2].partition(END)[0]}{END}\n" if BEGIN in text else ""


def section(found: Mapping[str, Sequence[Page]], *, rows: int) -> str:
    """Result: a table for each database: each page as it opens, and the slowest way to ask for it."""
    lines = [
        BEGIN,
        f"## The admin's pages with {rows:,} of everything",
        "",
        f"Server time without the network, measured on {datetime.now(UTC):%Y-%m-%d} with a load of {os.getloadavg()[0]:.1f} on",
        f"{os.cpu_count()} cores. Limits: {LIMIT_STATEMENTS} queries, and {LIMIT_MS} ms for 95 of 100 requests, whether a list",
        "is as it opens, on its last page, searched, filtered or sorted. CPU is our own process's. Run it again:",
        "",
        "    python -m tests.bench.pages --write",
    ]
    for database, pages in found.items():
        lines += ["", f"### {database}", ""]
        lines += ["| page | queries | median, ms | p95, ms | CPU, ms | slowest way to ask | queries | p95, ms | CPU, ms |"]
        lines += ["|---|---|---|---|---|---|---|---|---|"]
        for place in dict.fromkeys(page.place for page in pages):
            ways = [page for page in pages if page.place == place]
            opened, slowest = ways[0], max(ways, key=lambda page: page.p95_ms)
            way = slowest.name.removeprefix(place).strip(" ,").replace("|", "\\|") or "as it opens"
            lines.append(
                f"| {place} | {opened.statements} | {opened.median_ms:.0f} | {opened.p95_ms:.0f} | {opened.cpu_ms:.0f} | {way} | "
                f"{slowest.statements} | {slowest.p95_ms:.0f} | {slowest.cpu_ms:.0f} |"
            )
    return "\n".join([*lines, END])
