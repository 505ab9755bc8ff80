"""Every rule of design.md §3, broken in the product's code, is noticed by some world: what nobody notices is not tested."""

from collections.abc import Iterator

import pytest

from tests.simulation import paper
from tests.simulation.bench import Bench
from tests.simulation.mutants import IN_WORLDS, ON_PAPER, Mutant, broken
from tests.simulation.runner import bench, live

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TRIES = 15  # as a rule the first one notices; a change in the product may reshuffle what happens in a world


@pytest.fixture(scope="module")
def made() -> Iterator[Bench]:
    with bench() as made:
        yield made


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mutant", IN_WORLDS, ids=lambda mutant: mutant.name)
def test_a_world_notices_a_broken_rule(made: Bench, mutant: Mutant):
    with broken(mutant):
        seeds = range(mutant.seed, mutant.seed + TRIES)
        worlds = (live(made, seed, to_the_end=False, is_crowded=mutant.is_crowded) for seed in seeds)
        assert any(not life.is_well for life in worlds), f"{TRIES} worlds do not notice: {mutant.name}"


@pytest.mark.parametrize("mutant", ON_PAPER, ids=lambda mutant: mutant.name)
def test_a_world_on_paper_notices_a_broken_rule(mutant: Mutant):
    with broken(mutant):
        lives = (paper.run(seed) for seed in range(200))
        assert any(not (paper.at_rest(*life) and paper.exact(*life)) for life in lives), mutant.name
