"""Every rule of ledger.md, broken in the product's code, is noticed by some world: what nobody notices is not tested.

The other half is in test_mutants_too.py, so that two processes share the work."""

import pytest

from tests.simulation.mutants import IN_WORLDS, Mutant, is_noticed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("mutant", IN_WORLDS[::2], ids=lambda mutant: mutant.name)
def test_a_world_notices_a_broken_rule(made, mutant: Mutant):
    assert is_noticed(made, mutant)
