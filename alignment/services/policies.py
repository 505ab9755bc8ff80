"""From which confidence on a store's proposals confirm themselves, and what that would mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alignment.matching.weighing.confidence import expected_error
from alignment.models import Alignment, MatchingPolicy
from connectors.errors import ConfigError
from connectors.models import Connection

LOWEST = Decimal("0.5")  # below it a pair is more likely wrong than right
OFFERED = tuple(Decimal(text) for text in ("0.8", "0.9", "0.95", "0.98", "0.99", "0.995"))


@dataclass(frozen=True, slots=True)
class ThresholdOffer:
    """What a threshold would do now: how many proposals it confirms, and which part of them should be wrong (None: no pair)."""

    threshold: Decimal
    pairs: int
    expected_error: float | None


def matching_policy_set(*, store: Connection, confirm_from: Decimal | None, by: AbstractBaseUser | None) -> MatchingPolicy:
    """Set from which confidence on a store's proposals confirm themselves, with history; None: never. It counts from the next
    refresh on. Raises ConfigError for a number below 0.5 or above 1."""
    if confirm_from is not None and not LOWEST <= confirm_from <= 1:
        raise ConfigError(f"{confirm_from} is not a confidence from {LOWEST} to 1.", next_step="Choose one such as 0.95.")
    with transaction.atomic():
        policy = MatchingPolicy.objects.select_for_update().filter(store=store).first()
        if policy is None:
            policy = MatchingPolicy(store=store, confirm_from=confirm_from)
            bulk_create_with_history([policy], MatchingPolicy, default_user=by)
        elif policy.confirm_from != confirm_from:
            policy.confirm_from = confirm_from
            bulk_update_with_history([policy], MatchingPolicy, ["confirm_from"], default_user=by)
    return policy


def confirm_threshold(*, store: Connection) -> Decimal | None:
    """Result: the store's threshold; None where every pair waits for a person."""
    return MatchingPolicy.objects.filter(store=store).values_list("confirm_from", flat=True).first()


def thresholds_offered(*, pos: Connection, store: Connection, thresholds: Iterable[Decimal] = OFFERED) -> list[ThresholdOffer]:
    """Result: for each threshold, what it would confirm of the proposals there are now; those in doubt are never among them."""
    proposals = Alignment.objects.filter(
        item__connection=pos, listing__connection=store, status=Alignment.Status.PROPOSED, is_doubted=False
    ).exclude(match_type=Alignment.MatchType.MANUAL)
    confidences = [float(confidence) for confidence in proposals.order_by().values_list("confidence", flat=True)]
    return [
        ThresholdOffer(threshold, sum(c >= threshold for c in confidences), expected_error(confidences, float(threshold)))
        for threshold in thresholds
    ]
