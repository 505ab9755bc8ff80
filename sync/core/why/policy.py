"""Which rule settles a difference, and where it comes from, in words (ledger.md §7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.core.policy import Policy, rule_of
from sync.core.why.steps import amount

DELIVERED = "as delivered"
WHO = {
    Policy.POS_WINS: "the till wins",
    Policy.STORE_WINS: "the shop wins",
    Policy.NEWEST_WINS: "the newer change wins",
    Policy.HIGHER_COUNT: "the higher count wins",
    Policy.MERGE: "both changes count",
    Policy.MANUAL_REVIEW: "a person decides",
}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One row of the rules that hold for a product; an empty field is inherited. `scope`: for what it was made."""

    scope: str
    policy: str
    minor_to: object
    major_to: object
    review_major: object
    key: int | None = None


def rule_sentence(widest_first: Sequence[RuleRow]) -> str:
    """Result: what happens to a difference that nobody can explain, and which rule says so."""
    rule, of = rule_of(widest_first), _source(widest_first, "policy")
    if rule.policy == Policy.MANUAL_REVIEW:
        return f"A person decides about every difference ({of})."
    sees_major = rule.review_major and rule.policy != Policy.MERGE
    by_itself = rule.minor_to if sees_major else rule.major_to
    limit = _source(widest_first, "minor_to" if sees_major else "major_to")
    who = WHO[rule.policy]
    units = f"{amount(by_itself)} {'unit' if by_itself == 1 else 'units'}"
    more = f"more is left to a person ({limit})" if limit != of else "more is left to a person"
    return f"Up to {units} {who} ({of}); {more}."


def _source(widest_first: Sequence[RuleRow], name: str) -> str:
    """Result: the narrowest row that says it."""
    said = [row.scope for row in widest_first if getattr(row, name) not in (None, "")]
    return f"the rule for {said[-1]}" if said else DELIVERED
