"""The other half of test_mutants.py."""

import pytest

from tests.simulation.mutants import IN_WORLDS, Mutant, is_noticed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("mutant", IN_WORLDS[1::2], ids=lambda mutant: mutant.name)
def test_a_world_notices_a_broken_rule(made, mutant: Mutant):
    assert is_noticed(made, mutant)
