"""What most tools do, in the same worlds: copy the number that changed to the other side. Given every advantage: its writes
always arrive, at once, and it never dies."""

import csv
from pathlib import Path
from random import Random

from tests.simulation.clock import SimClock
from tests.simulation.runner import till_of
from tests.simulation.tills import FileTill
from tests.simulation.world import SKUS, STOCK, World


def copying_lives(folder: Path, seed: int, *, steps: int) -> tuple[bool, int]:
    """Result: whether till, shelf and stores agree at rest, and how many units the stores then offer that nobody has."""
    clock, rng = SimClock(), Random(f"engine {seed}")
    world = World(Random(f"world {seed}"), clock, folder, till=till_of(seed))
    till_said = dict.fromkeys(SKUS, STOCK)
    store_said = [dict.fromkeys(SKUS, STOCK - web.buffer) for web in world.webs]
    for _ in range(steps):
        clock.tick(rng.expovariate(1 / 120))
        if rng.random() < 0.75:
            world.happen()
        world.catch_up()
        if rng.random() < 0.35:
            numbers_copy(world, till_said, store_said)
    for _ in range(4):
        clock.tick(3600)
        world.catch_up()
        world.till.export(late=0)
        world.catch_up()
        numbers_copy(world, till_said, store_said)
    targets = [(web, sku, max(0, world.shelf(sku) - web.buffer)) for web in world.webs for sku in SKUS]
    agree = all(world.till.on_hand(sku) == world.shelf(sku) for sku in SKUS) and all(
        web.shows(sku) == n for web, sku, n in targets
    )
    return agree, sum(max(0, web.shows(sku) - target) for web, sku, target in targets)


def numbers_copy(world: World, till_said: dict[str, int], store_said: list[dict[str, int]]) -> None:
    """A number that changed at the till goes to the stores; else one that changed in a store goes to the till."""
    shown = _shown(world, till_said)
    for sku in SKUS:
        if shown[sku] != till_said[sku]:
            till_said[sku] = shown[sku]
            for web, said in zip(world.webs, store_said, strict=True):
                said[sku] = max(0, shown[sku] - web.buffer)
                web.app.set_quantity(web.ids[sku], said[sku])
            continue
        for web, said in zip(world.webs, store_said, strict=True):
            if web.shows(sku) != said[sku]:
                said[sku] = web.shows(sku)
                till_said[sku] = said[sku] + web.buffer
                world.till.count(sku, till_said[sku])


def _shown(world: World, till_said: dict[str, int]) -> dict[str, int]:
    """Result: what the till says now; what it said last, where it drops files and has dropped none since."""
    if not isinstance(world.till, FileTill):
        return {sku: int(world.till.on_hand(sku)) for sku in SKUS}
    exports = sorted(world.folder.glob("pos_export_*.csv"))
    shown = _read(exports[-1]) if exports else dict(till_said)
    for path in exports:
        path.unlink()
    return shown


def _read(path: Path) -> dict[str, int]:
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["SKU"]: int(row["Qty On Hand"]) for row in csv.DictReader(lines)}
