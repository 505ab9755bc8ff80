"""What becomes of a number that a store shows and nothing explains (ledger.md §7). Pure: no Django, no clock, no network.

The till's shelf is counted by hand, so by default it wins. How far a rule may decide alone goes by size; what is too large for
it is left to a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from kit.scopes import inherited

MINOR_TO: Final = Decimal(2)
MAJOR_TO: Final = Decimal(10)


class DriftClass(StrEnum):
    """How far off a number is, by its units."""

    PERFECT = "perfect"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Policy(StrEnum):
    """Who is right when nobody can explain a difference."""

    POS_WINS = "pos_wins"
    STORE_WINS = "store_wins"
    NEWEST_WINS = "newest_wins"
    HIGHER_COUNT = "higher_count"
    MERGE = "merge"
    MANUAL_REVIEW = "manual_review"


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one product. `minor_to`, `major_to`: the largest number of units of each class."""

    policy: Policy = Policy.POS_WINS
    minor_to: Decimal = MINOR_TO
    major_to: Decimal = MAJOR_TO
    review_major: bool = True


def rule_of(widest_first: Sequence[object]) -> Rule:
    """Result: what rows that are made like a rule say together; what none says is as it is here."""
    default = Rule()
    return Rule(
        policy=Policy(inherited(widest_first, "policy", default.policy.value)),
        minor_to=inherited(widest_first, "minor_to", default.minor_to),
        major_to=inherited(widest_first, "major_to", default.major_to),
        review_major=inherited(widest_first, "review_major", default.review_major),
    )


@dataclass(frozen=True, slots=True)
class Undo:
    """The till is right: the store is set back."""

    why: str


@dataclass(frozen=True, slots=True)
class Accept:
    """The store is right: a movement accepts the difference, and the till is told."""

    why: str


@dataclass(frozen=True, slots=True)
class AskPerson:
    """A person decides; until then nothing is written to the listing."""

    why: str


Decision = Undo | Accept | AskPerson


def drift_class(units: Decimal | None, *, minor_to: Decimal = MINOR_TO, major_to: Decimal = MAJOR_TO) -> DriftClass:
    """Result: the class of a difference of so many units, either way. None: one side's number is missing, which is critical."""
    if units is None:
        return DriftClass.CRITICAL
    size = abs(units)
    if not size:
        return DriftClass.PERFECT
    if size <= minor_to:
        return DriftClass.MINOR
    return DriftClass.MAJOR if size <= major_to else DriftClass.CRITICAL


def percent_of(units: Decimal | None, base: Decimal | None) -> Decimal | None:
    """Result: a difference in percent of what it should have been, to one decimal; None where there is no base: `0 → 3` is no
    percentage."""
    return None if units is None or not base else (units / abs(base) * 100).quantize(Decimal("0.1"))


def decide(
    *,
    rule: Rule,
    residual: Decimal,
    store_changed_at: datetime | None = None,
    till_changed_at: datetime | None = None,
    came_back: bool = False,
) -> Decision:
    """Result: what to do about a store's number that is `residual` units off (not zero), seen twice, explained by nothing.

    `store_changed_at`: when it was first seen to be off; `till_changed_at`: when the till last moved the item. Only
    `newest_wins` asks for them; where one is unknown, or both are equal, the till wins. `came_back`: it was out of sight, and a
    store may forget the number of what it stops counting: never accepted by rule.
    """
    decision = _by_rule(rule, residual, store_changed_at, till_changed_at)
    if came_back and isinstance(decision, Accept):
        return AskPerson("It was gone from the shop or not counted there, so nobody knows where the difference comes from.")
    return decision


def _by_rule(rule: Rule, residual: Decimal, store_changed_at: datetime | None, till_changed_at: datetime | None) -> Decision:
    size = drift_class(residual, minor_to=rule.minor_to, major_to=rule.major_to)
    if rule.policy == Policy.MANUAL_REVIEW:
        return AskPerson("The rule for this product leaves every difference to a person.")
    if size == DriftClass.CRITICAL:
        return AskPerson(f"More than {rule.major_to.normalize():f} units are never settled by rule.")
    # Merging loses neither side's change, so a larger one is no larger risk.
    if size == DriftClass.MAJOR and rule.review_major and rule.policy != Policy.MERGE:
        return AskPerson(f"More than {rule.minor_to.normalize():f} units are left to a person.")
    match rule.policy:
        case Policy.STORE_WINS:
            return Accept("The store wins by rule.")
        case Policy.MERGE:
            return Accept("Both sides' changes count by rule.")
        case Policy.HIGHER_COUNT:
            return Accept("The shop's count is the higher one.") if residual > 0 else Undo("The till's count is the higher one.")
        case Policy.NEWEST_WINS:
            if store_changed_at and till_changed_at and store_changed_at > till_changed_at:
                return Accept("The shop's change is the newer one.")
            return Undo("The till's change is the newer one, or its time is unknown.")
        case _:
            return Undo("The till wins by rule.")
