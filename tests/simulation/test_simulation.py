"""Random shops over the product's own code: at rest all agree, and the ledger was exact at every step (design.md §3.9)."""

from collections.abc import Iterator

import pytest

from tests.simulation import paper
from tests.simulation.bench import Bench
from tests.simulation.runner import bench, live

SEEDS = range(100, 104)


@pytest.fixture(scope="module")
def made() -> Iterator[Bench]:
    with bench() as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_shop_comes_to_rest_and_its_ledger_is_exact_at_every_step(made, seed):
    life = live(made, seed)
    assert [*life.amiss, *life.wrong] == [], "\n".join(life.story)
    assert life.figures["runs"] > 10


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_seed_lives_the_same_life_again(made):
    assert live(made, 7, steps=12).mark == live(made, 7, steps=12).mark


@pytest.mark.slow
def test_on_paper_hundreds_of_shops_come_to_rest_and_are_exact():
    for seed in range(150):
        world, engine = paper.run(seed)
        assert paper.at_rest(world, engine), seed
        assert paper.exact(world, engine), seed
