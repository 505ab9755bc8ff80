"""Many worlds in several processes, and their sum in a few lines. Imports nothing of Django before it is set up."""

import atexit
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any

from tests.simulation.life import Life


def report(seeds: Sequence[int], *, jobs: int, tell: bool) -> int:
    """Live through these worlds and print what became of them. Result: 1 if any went wrong, else 0."""
    began, figures, diverged, inexact = time.monotonic(), Counter[str](), 0, 0
    for life, copied in _lives(seeds, jobs):
        figures += life.figures
        figures["copied_wrong"] += not copied[0]
        figures["copied_offered"] += copied[1]
        diverged += bool(life.amiss)
        inexact += bool(life.wrong)
        if not life.is_well:
            print(f"seed {life.seed}: {'; '.join([*life.amiss, *life.wrong][:4])}", flush=True)
            print(*(life.story if tell else ()), sep="\n", end="\n" if tell else "", flush=True)
    spent, worlds = time.monotonic() - began, len(seeds)
    met = ", ".join(
        f"{figures[name]} {words}"
        for name, words in (
            ("runs", "runs"),
            ("deferred", "deferred readings"),
            ("crashes", "crashes"),
            ("stalls", "stalled workers"),
            ("looked_up", "unknown writes looked up"),
            ("decisions", "decisions by a manager"),
            ("uncounted", "products not counted for a while"),
        )
    )
    tills = f"{figures['pos_csv']} tills with files, {figures['rest_pos']} with an API"
    pace = f"{worlds / spent:.1f} worlds a second"
    print(f"{worlds} worlds, {diverged} diverged, {inexact} inexact, {met}; {tills}; {pace}")
    print(
        f"copying numbers in the same worlds: wrong in {figures['copied_wrong']} of {worlds}, "
        f"{figures['copied_offered']} units offered at rest that nobody has"
    )
    return 1 if diverged or inexact else 0


def _lives(seeds: Sequence[int], jobs: int) -> Iterator[tuple[Life, tuple[bool, int]]]:
    if jobs == 1 or len(seeds) == 1:
        yield from map(_live, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(seeds))) as pool:
        yield from pool.imap(_live, seeds)


def _live(seed: int) -> tuple[Life, tuple[bool, int]]:
    made = _bench()
    from tests.simulation.copying import copying_lives
    from tests.simulation.runner import STEPS, live

    life = live(made, seed)
    made.empty()
    return life, copying_lives(made.folder, seed, steps=STEPS)


@cache
def _bench() -> Any:
    """What this process uses for all its worlds; it ends with the process."""
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.simulation.runner import bench

    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(bench())
