"""Which tills a store is kept in step with."""

import pytest

from connectors.errors import ConfigError
from connectors.models import Connection
from sync.turns.run import tills_of
from tests import factories as make

pytestmark = pytest.mark.django_db


def switch_off(till: Connection) -> None:
    Connection.objects.filter(pk=till.pk).update(is_active=False)


def test_the_only_till_supplies_a_store_while_nobody_has_said_which():
    till, store = make.pos_connection(), make.store_connection()
    assert tills_of(store=store) == [till]


def test_the_tills_that_were_said_supply_it_and_no_others():
    (one, other, _), store = [make.pos_connection(name) for name in "abc"], make.store_connection()
    for till in (other, one):
        make.supply(store, make.location(till))
    assert tills_of(store=store) == [one, other]
    switch_off(other)
    assert tills_of(store=store) == [one]


def test_another_till_does_not_step_in_for_the_one_that_was_switched_off():
    said, _, store = make.pos_connection("said"), make.pos_connection("other"), make.store_connection()
    make.supply(store, make.location(said))
    switch_off(said)
    with pytest.raises(ConfigError, match="The tills that supply “shop” are switched off"):
        tills_of(store=store)


@pytest.mark.parametrize(("names", "words"), [("", "there are 0 tills"), ("ab", "there are 2 tills")])
def test_with_none_or_several_nobody_guesses(names, words):
    store = make.store_connection()
    for name in names:
        make.pos_connection(name)
    with pytest.raises(ConfigError, match=words):
        tills_of(store=store)
