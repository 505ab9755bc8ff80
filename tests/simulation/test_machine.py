"""The same worlds, with Hypothesis choosing what happens. Add `Phase.shrink` to have it look for the shortest life that fails."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from sync.models import SyncRun
from tests.simulation.clock import SimClock
from tests.simulation.engine import Engine
from tests.simulation.tills import KINDS
from tests.simulation.world import SKUS, World

skus, units, numbers = some.sampled_from(SKUS[:2]), some.integers(1, 3), some.integers(0, 1)


class ShopMachine(RuleBasedStateMachine):
    """One shop; each rule is one thing that people, time or the engine do."""

    made = None  # set by the test

    @initialize(rng=some.randoms(use_true_random=False), till=some.sampled_from(sorted(KINDS)))
    def open(self, rng, till):
        self.world = World(rng, SimClock(), self.made.folder, till=till, stores=2)
        self.story: list[str] = []
        self.world.told = lambda words: self.story.append(f"{self.world.clock.at:%d %H:%M:%S} {words}")
        self.engine = Engine(self.made, self.world, rng)

    @rule(sku=skus, units=some.integers(-3, 6).filter(bool))
    def moves_at_the_till(self, sku, units):
        self.world.at_the_till(sku, units)

    @rule(number=numbers, sku=skus, units=units)
    def buys(self, number, sku, units):
        self.world.buy(self.world.webs[number], sku, units)

    @rule(number=numbers)
    def changes_an_order(self, number):
        self.world.change_an_order(self.world.webs[number])

    @rule(number=numbers, sku=skus, units=some.sampled_from((-2, 2, 5)))
    def edits(self, number, sku, units):
        if sku not in self.world.webs[number].uncounted:
            self.world.edit(self.world.webs[number], sku, units)

    @rule()
    def manages(self):
        self.engine.manage()

    @rule()
    def recounts(self):
        self.engine.recount()

    @rule(late=some.sampled_from((0, 90, 1200)))
    def exports(self, late):
        self.world.till.export(late=late)

    @rule()
    def books_adjustments(self):
        self.world.till.book_adjustments()

    @rule(seconds=some.sampled_from((1, 20, 40, 150, 900)))
    def time_passes(self, seconds):
        self.world.clock.tick(seconds)
        self.world.catch_up()
        for wire in (*self.made.wires, self.made.till_wire):
            wire.land()

    @rule(number=numbers)
    def hears(self, number):
        self.engine.hear(number)

    @rule(number=numbers)
    def polls(self, number):
        self.engine.poll(number)

    @rule()
    def syncs(self):
        self.engine.sync()

    @rule(number=numbers, steps=some.integers(1, 150), kind=some.sampled_from(SyncRun.Kind.values))
    def dies(self, number, steps, kind):
        self.engine.run(number, SyncRun.Kind(kind), steps=steps)

    @rule(number=numbers, steps=some.integers(1, 150), kind=some.sampled_from(SyncRun.Kind.values))
    def stalls(self, number, steps, kind):
        self.engine.run(number, SyncRun.Kind(kind), stall=steps)

    @precondition(lambda self: hasattr(self, "engine"))
    @invariant()
    def is_exact(self):
        self.engine.judge.look()
        assert self.engine.wrong == [], "\n".join(self.story)

    def teardown(self):
        if hasattr(self, "engine") and not self.engine.wrong:
            assert [*self.engine.rest(), *self.engine.wrong] == [], "\n".join(self.story)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.django_db(transaction=True)
def test_no_short_life_goes_wrong(made):
    ShopMachine.made = made
    run_state_machine_as_test(
        ShopMachine,
        settings=settings(
            max_examples=4,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
