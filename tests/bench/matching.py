"""How well and how fast the matcher does: five catalogues, and three sizes of a made-up wholesaler, each in a process of its own
so that its memory is its own. `python -m tests.bench.matching NAME` measures one and prints it as JSON."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

QUALITY = ("hydro", "grocer", "books", "clothes", "ironmonger")
SIZES = (12_500, 25_000, 50_000)


@dataclass(frozen=True, slots=True)
class Measured:
    """One catalogue. `cpu` is the matching alone, in seconds of one core; `seconds` the same by the clock; `rss_mb` the most the
    process held, the catalogues included."""

    name: str
    items: int
    listings: int
    precision: float
    recall: float
    top1: float
    expected_error: float
    cpu: float
    seconds: float
    rss_mb: float


def matching_measure(*, quick: bool, say: Callable[[str], None]) -> list[Measured]:
    """Measure all; quick: a tenth of the sizes."""
    found = []
    for name in (*QUALITY, *(str(size // 10 if quick else size) for size in SIZES)):
        said = subprocess.run([sys.executable, "-m", "tests.bench.matching", name], check=True, capture_output=True, text=True)
        found.append(Measured(**json.loads(said.stdout)))
        say(f"matching {name}: {found[-1].cpu:.1f} s")
    return found


def table(found: Sequence[Measured]) -> str:
    """Result: the figures, in Markdown."""
    rows = [
        f"| {one.name} | {one.items:,} × {one.listings:,} | {one.precision:.2%} | {one.recall:.1%} | {one.top1:.1%} "
        f"| {one.expected_error:.2%} | {one.cpu:.1f} | {one.seconds:.1f} | {one.rss_mb:.0f} |"
        for one in found
    ]
    head = "| catalogue | items × listings | precision | recall | top-1 | expected error | CPU s | s | MB |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows])


def measure(name: str) -> Measured:
    import os
    from time import perf_counter, process_time

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from alignment.matching.engine import match
    from alignment.matching.weighing.confidence import USUAL_THRESHOLD, expected_error
    from tests.alignment.catalogues.large import large
    from tests.alignment.matching.catalogues import catalogues, from_made, judged
    from tests.bench.child import most_resident_mb

    known = from_made(large(int(name))) if name.isdigit() else catalogues(name)
    began, cpu = perf_counter(), process_time()
    matching = match(known.items, known.listings)
    seconds, cpu = perf_counter() - began, process_time() - cpu
    outcome = judged(known, matching.matches)
    expected = expected_error([one.confidence for one in matching.matches if one.is_safe], USUAL_THRESHOLD)
    return Measured(
        name, len(known.items), len(known.listings), outcome.precision, outcome.recall, outcome.top1, expected or 0.0, cpu,
        seconds, most_resident_mb(),
    )  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(asdict(measure(sys.argv[1]))))
