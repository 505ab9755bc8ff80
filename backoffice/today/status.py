"""Is the shop in step? One word, and the sentences why (docs/metrics.md has the limits for managers)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum

from kit.words import counted
from reporting.core.words import percent_said, seconds_said, span_said, value_said
from reporting.metrics.figures import ACCURACY, CONFLICTS, COVERAGE, HEADLINES, LATENCY, Figures, Headline

FAILING_FROM = 3  # failures in a row: one or two are a hiccup
SILENT_FROM = timedelta(hours=24)  # without a sync that reached its end
UNSENT_WARN = timedelta(minutes=5)
UNSENT_BAD = timedelta(hours=1)
ACCURACY_BAD = Decimal(90)
SAID = 3  # reasons in the sentence why


class Level(IntEnum):
    """How the shop fares, worst last."""

    EXCELLENT = 0
    GOOD = 1
    ATTENTION = 2
    CRITICAL = 3
    UNKNOWN = -1

    @property
    def word(self) -> str:
        return "Not known yet" if self is Level.UNKNOWN else self.name.capitalize()

    @property
    def tone(self) -> str:
        """The badge's tone, as in kit.admin.parts."""
        return {-1: "mute", 0: "ok", 1: "ok", 2: "warn", 3: "bad"}[self.value]


@dataclass(frozen=True, slots=True)
class Faring:
    """How one connection fares."""

    name: str
    failures_in_row: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the status is worked out from. Spans are None where there is nothing to measure."""

    figures: Figures
    connections: Sequence[Faring] = ()
    has_store: bool = True
    since_last_sync: timedelta | None = None  # since one reached its end; None: none ever did
    unsent_for: timedelta | None = None  # how long the oldest unsent write has waited
    held_runs: int = 0
    conflicts_open: int = 0
    conflicts_critical: int = 0
    alerts_open: int = 0
    alerts_critical: int = 0
    prices_waiting: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    level: Level
    sentence: str


@dataclass(frozen=True, slots=True)
class Overall:
    """The word, the sentence that says what is true, and what it is because of, worst first."""

    level: Level
    sentence: str
    reasons: Sequence[Reason] = ()

    @property
    def because(self) -> str:
        """The worst reasons, as a paragraph that can be read at a glance; the rest is on the page."""
        if not self.reasons:
            return "Every goal is met, and nothing waits for a person." if self.level is Level.EXCELLENT else ""
        more = len(self.reasons) - SAID
        return " ".join(reason.sentence for reason in self.reasons[:SAID]) + (f" And {more} more below." if more > 0 else "")


def overall(facts: Facts) -> Overall:
    """Result: the shop's status. The worst reason decides; without any it is excellent."""
    if not facts.has_store or not facts.figures.pairs:
        return Overall(Level.UNKNOWN, _not_yet(facts))
    reasons = sorted(_reasons(facts), key=lambda reason: -reason.level)
    return Overall(reasons[0].level if reasons else Level.EXCELLENT, _in_step(facts.figures), reasons)


def _not_yet(facts: Facts) -> str:
    if not facts.has_store:
        return "Nothing is connected yet. Connect a till and a shop to begin."
    return "No pairs yet. Align the till's items with the shop's products; then the first sync tells what agrees."


def _in_step(figures: Figures) -> str:
    """Result: what is true, first: how many products agree."""
    if not figures.pairs_known:
        return f"Not known yet: {counted(figures.pairs, 'product has', 'products have')} not been read on both sides"
    if not figures.pairs_off:
        return f"In step: all {counted(figures.pairs_known, 'product agrees', 'products agree')}"
    return f"{figures.pairs_in_step:,} of {counted(figures.pairs_known, 'product agrees', 'products agree')}"


def _reasons(facts: Facts) -> list[Reason]:
    found = [*_of_connections(facts), *_of_traffic(facts), *_of_goals(facts.figures), *_of_people(facts)]
    if unknown := facts.figures.pairs_unknown:
        sentence = f"{counted(unknown, 'product is', 'products are')} not known: one side has never said a number."
        found.append(Reason(Level.GOOD, sentence))
    return found


def _of_connections(facts: Facts) -> list[Reason]:
    found = []
    for one in facts.connections:
        if one.failures_in_row >= FAILING_FROM:
            found.append(Reason(Level.CRITICAL, f"“{one.name}” failed {one.failures_in_row} times in a row."))
        elif one.failures_in_row:
            found.append(Reason(Level.ATTENTION, f"“{one.name}” failed when it was asked last."))
    return found


def _of_traffic(facts: Facts) -> list[Reason]:
    found = []
    if facts.since_last_sync is None:
        found.append(Reason(Level.ATTENTION, "No sync has reached its end yet."))
    elif facts.since_last_sync >= SILENT_FROM:
        found.append(Reason(Level.CRITICAL, f"No sync has reached its end for {span_said(facts.since_last_sync)}."))
    waits = facts.unsent_for
    if waits is not None and waits >= UNSENT_WARN:
        level = Level.CRITICAL if waits >= UNSENT_BAD else Level.ATTENTION
        found.append(Reason(level, f"A number has waited {span_said(waits)} to be told."))
    return found


def _of_goals(figures: Figures) -> list[Reason]:
    found = []
    for headline in HEADLINES:
        value = figures.value(headline)
        if headline.meets(value) is False and value is not None:
            level = Level.CRITICAL if headline is ACCURACY and value < ACCURACY_BAD else Level.ATTENTION
            found.append(Reason(level, _missed(headline, value, figures)))
    return found


def _missed(headline: Headline, value: Decimal, figures: Figures) -> str:
    if headline is LATENCY:
        return f"The slowest changes took {seconds_said(value)} to reach the other side."
    if headline is COVERAGE:
        left = counted(figures.items - figures.items_aligned, "item of the till has", "items of the till have")
        return f"{left} no partner in the shop: {percent_said(value)} do."
    if headline is CONFLICTS:
        return f"{value_said(headline, value)} disagreements were found in 24 hours."
    if headline is ACCURACY:
        return f"{counted(figures.pairs_off, 'product does', 'products do')} not show what the ledger says."
    return f"{counted(figures.runs_failed, 'sync', 'syncs')} of {figures.runs_ended + figures.runs_failed} failed in 24 hours."


def _of_people(facts: Facts) -> list[Reason]:
    """What waits for a person. Critical alerts are critical; the rest is attention where it is urgent, else still good."""
    found = []
    if facts.alerts_critical:
        found.append(
            Reason(Level.CRITICAL, f"{counted(facts.alerts_critical, 'critical alert is', 'critical alerts are')} open.")
        )
    if facts.held_runs:
        found.append(
            Reason(Level.ATTENTION, f"{counted(facts.held_runs, 'sync is', 'syncs are')} held and waits for a decision.")
        )
    if facts.conflicts_critical:
        many = counted(facts.conflicts_critical, "critical conflict waits", "critical conflicts wait")
        found.append(Reason(Level.ATTENTION, f"{many} for a decision."))
    if rest := facts.conflicts_open - facts.conflicts_critical:
        found.append(Reason(Level.GOOD, f"{counted(rest, 'smaller conflict waits', 'smaller conflicts wait')} for a decision."))
    if rest := facts.alerts_open - facts.alerts_critical:
        found.append(Reason(Level.GOOD, f"{counted(rest, 'alert is', 'alerts are')} open."))
    if facts.prices_waiting:
        many = counted(facts.prices_waiting, "price change waits", "price changes wait")
        found.append(Reason(Level.GOOD, f"{many} for a decision."))
    return found
