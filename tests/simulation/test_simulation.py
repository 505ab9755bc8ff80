"""Random shops over the product's own code: at rest all agree, and the ledger was exact at every step (ledger.md §9)."""

import pytest

from tests.simulation.runner import live

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]
SEEDS = range(100, 102)  # the one has a till with files, the other one with an API
SCENES = [
    "lose_an_answer",
    "read_an_export_from_before_a_write",
    "read_before_the_answer",
    "read_before_the_order",
    "read_exports_out_of_order",
    "sell_the_same_twice",
    "sell_while_opening",
    "stand_still",
    "stop_counting_and_sell",
]


def lives_well(made, seed, **options):
    life = live(made, seed, **options)
    assert [*life.amiss, *life.wrong] == [], "\n".join(life.story)
    return life


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shop_comes_to_rest_and_its_ledger_is_exact_at_every_step(made, seed):
    assert lives_well(made, seed).figures["runs"] > 10


@pytest.mark.every_database
@pytest.mark.parametrize("till", ["pos_csv", "rest_pos"])
def test_a_short_life_goes_well_on_either_database(made, till):
    assert lives_well(made, 200, steps=10, till=till).figures["runs"] > 5


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_rare_goes_well_again_and_again(made, scene):
    lives_well(made, 2, steps=5, scene=scene)


def test_a_seed_lives_the_same_life_again(made):
    assert live(made, 7, steps=8).mark == live(made, 7, steps=8).mark
