"""The decisions of the product's core, in a model that is a thousand times as quick, and each of them broken (ledger.md)."""

import pytest

from tests.simulation import paper
from tests.simulation.mutants import ON_PAPER, Mutant, broken

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_on_paper_hundreds_of_shops_come_to_rest_and_are_exact():
    for seed in range(150):
        world, engine = paper.run(seed)
        assert paper.at_rest(world, engine), seed
        assert paper.exact(world, engine), seed


@pytest.mark.parametrize("mutant", ON_PAPER, ids=lambda mutant: mutant.name)
def test_a_world_on_paper_notices_a_broken_rule(mutant: Mutant):
    with broken(mutant):
        lives = (paper.run(seed) for seed in range(200))
        assert any(not (paper.at_rest(*life) and paper.exact(*life)) for life in lives), mutant.name
