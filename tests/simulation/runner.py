"""Worlds, one after another, and what became of them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.simulation.bench import Bench
from tests.simulation.clock import SimClock
from tests.simulation.engine import Engine
from tests.simulation.life import Life
from tests.simulation.tills import KINDS
from tests.simulation.world import World

STEPS = 56


@contextmanager
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="evenstock-worlds-") as folder:
        made = Bench(Path(folder) / "drop")
        try:
            yield made
        finally:
            made.close()


def live(
    made: Bench,
    seed: int,
    *,
    steps: int = STEPS,
    to_the_end: bool = True,
    is_crowded: bool | None = None,
    till: str | None = None,
    scene: str = "",
) -> Life:
    """One world from its first day until it rests; or only until something is wrong. Half of all worlds have a till with files,
    the other half one with an API, unless `till` says which. `scene`: the one thing of the engine that happens in it, again and
    again."""
    clock, story = SimClock(), []
    world = World(Random(f"world {seed}"), clock, made.folder, till=till or till_of(seed), is_crowded=is_crowded)
    world.told = lambda words: story.append(f"{clock.at:%d %H:%M:%S} {words}")
    engine = Engine(made, world, Random(f"engine {seed}"))
    for _ in range(steps):
        step(world, engine, scene)
        if engine.wrong and not to_the_end:
            break
    amiss = engine.rest() if to_the_end or not engine.wrong else []
    engine.figures[world.till.kind] += 1
    return Life(seed, amiss, engine.wrong, engine.figures, story)


def till_of(seed: int) -> str:
    return sorted(KINDS)[seed % 2]


def step(world: World, engine: Engine, scene: str = "") -> None:
    """A little time, and perhaps one thing of each kind."""
    rng = engine.rng
    world.clock.tick(rng.expovariate(1 / 120))
    if rng.random() < 0.85:
        world.happen()
    world.catch_up()
    for wire in (*engine.bench.wires[: len(world.webs)], engine.bench.till_wire):
        wire.land()
    if scene:
        world.till.book_adjustments()
        getattr(engine, scene)()
        engine.judge.look()
        return
    for number in range(len(world.webs)):
        engine.hear(number)
    if rng.random() < 0.2:
        world.till.book_adjustments()
    if rng.random() < 0.03:
        engine.recount()
    if rng.random() < 0.15:
        engine.manage()
    if rng.random() < 0.05:
        engine.read_before_the_order()
    elif rng.random() < 0.03:
        engine.read_before_the_answer()
    elif rng.random() < 0.35:
        engine.sync()
        while rng.random() < 0.25:  # and at once again: by hand, or by another job
            engine.sync()
    elif rng.random() < 0.1:
        engine.poll(rng.randrange(len(world.webs)))
