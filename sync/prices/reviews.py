"""Price changes that wait for a person (prices.md): asked, kept up to date, approved or rejected."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.contrib.auth.models import User
from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from connectors.errors import ConfigError
from sync.core.prices import Review
from sync.models import PricePolicy, PriceReview
from sync.prices.log import price_shown
from sync.prices.rules import PriceTurn
from sync.turns.context import RunContext

State = PriceReview.State
FIGURES = (
    "currency", "source_price", "old_price", "new_price", "ends_sale", "change_percent", "cost", "margin_before", "margin_after",
    "why",
)  # fmt: skip
DECISION = ("state", "decided_at", "decided_by", "reason")
MOST_PERCENT = Decimal(10) ** 9


class Asked:
    """What a run found to ask, and what it need not ask any more."""

    def __init__(self, *, ctx: RunContext, turn: PriceTurn) -> None:
        self._ctx, self._turn = ctx, turn
        self.fresh: list[PriceReview] = []
        self.changed: list[PriceReview] = []

    def is_rejected(self, review: PriceReview | None, source: Decimal | None) -> bool:
        """Has a person rejected this very price of the owner's? Then nothing is written or asked until it changes."""
        rejected = review is not None and review.state == State.REJECTED and self._is_mine(review)
        is_same = rejected and review is not None and review.source_price == source
        self._ctx.counts["prices_rejected"] += is_same
        return is_same

    def is_approved(
        self,
        pair_id: int,
        review: PriceReview | None,
        verdict: Review,
        source: Decimal,
        shows: Decimal | None,
        cost: Decimal | None,
    ) -> bool:
        """May it be written now? Only what a person has approved, on these very figures; anything else is asked, once."""
        if self.is_rejected(review, source):
            return False
        figures = self._figures(verdict, source, shows, cost)
        waiting = review if review is not None and review.state in PriceReview.WAITING else None
        if waiting is None:
            self.fresh.append(
                PriceReview(
                    store=self._ctx.store.connection,
                    alignment_id=pair_id,
                    price_source=self._turn.policy.price_source,
                    detected_at=self._ctx.now(),
                    **figures,
                )
            )
            return False
        is_same = all(getattr(waiting, name) == figures[name] for name in ("source_price", "old_price", "new_price", "ends_sale"))
        if waiting.state == State.APPROVED and is_same and self._is_mine(waiting):
            return True
        if waiting.state == State.APPROVED:
            _reopen(waiting, "It was approved on other figures.")
        elif all(getattr(waiting, name) == figures[name] for name in FIGURES):
            return False
        for name, figure in figures.items():
            setattr(waiting, name, figure)
        waiting.price_source = self._turn.policy.price_source
        self.changed.append(waiting)
        return False

    def gone(self, review: PriceReview | None, reason: str) -> None:
        """There is nothing to ask any more."""
        if review is not None and review.state in PriceReview.WAITING:
            review.state, review.decided_at, review.decided_by, review.reason = State.GONE, self._ctx.now(), None, reason
            self.changed.append(review)

    def _is_mine(self, review: PriceReview) -> bool:
        return review.price_source == self._turn.policy.price_source

    def _figures(
        self, verdict: Review, source: Decimal, shows: Decimal | None, cost: Decimal | None
    ) -> dict[str, Decimal | str | bool | None]:
        figures = verdict.figures
        return {
            "currency": self._turn.currency,
            "source_price": source,
            "old_price": shows,
            "new_price": figures.target,
            "ends_sale": verdict.ends_sale,
            "change_percent": _percent(figures.percent),
            "cost": cost,
            "margin_before": _percent(figures.margin_before),
            "margin_after": _percent(figures.margin_after),
            "why": verdict.why[:300],
        }


def _percent(percent: Decimal | None) -> Decimal | None:
    """Result: as the books hold it; beyond what they hold it means no more than “very much”."""
    if percent is None:
        return None
    return max(-MOST_PERCENT, min(MOST_PERCENT, percent)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _reopen(review: PriceReview, reason: str) -> None:
    review.state, review.decided_at, review.decided_by, review.reason = State.OPEN, None, None, reason[:300]


def reviews_save(*, ctx: RunContext, asked: Asked) -> None:
    """Write down what was asked and what changed, with history."""
    reason = _reason(ctx)
    fresh, changed = asked.fresh, asked.changed
    asked.fresh, asked.changed = [], []
    if not ctx.run.dry_run:
        with transaction.atomic():
            if fresh:
                bulk_create_with_history(fresh, PriceReview, default_change_reason=reason)
            if changed:
                bulk_update_with_history(
                    changed, PriceReview, [*FIGURES, "price_source", *DECISION], default_change_reason=reason
                )
    ctx.counts["price_reviews_new"] += len(fresh)


def _reason(ctx: RunContext) -> str:
    return f"{ctx.run}"[:100] if ctx.run.pk else "Between runs"


def review_written(*, ctx: RunContext, reviews: Sequence[PriceReview]) -> None:
    """What was approved has been written."""
    for review in reviews:
        review.state = State.WRITTEN
    if reviews:
        bulk_update_with_history(list(reviews), PriceReview, ["state"], default_change_reason=_reason(ctx))


def review_failed(*, ctx: RunContext, failed: Sequence[tuple[PriceReview, str]]) -> None:
    """What was approved has been refused: a person looks again, instead of the same being sent every quarter of an hour."""
    for review, why in failed:
        _reopen(review, f"It was refused: {why}")
    if failed:
        bulk_update_with_history(
            [review for review, _ in failed], PriceReview, list(DECISION), default_change_reason=_reason(ctx)
        )


def review_stale(review: PriceReview) -> str:
    """Result: what has changed since it was asked, in words with the new figures; "" when nothing has. Give it with its pair's
    item and listing."""
    pair = review.alignment
    to_store = review.price_source == PricePolicy.Source.POS
    source, shows = (pair.item.price, pair.listing.price) if to_store else (pair.listing.price, pair.item.price)
    owner, other = ("till", "shop") if to_store else ("shop", "till")
    said = [
        f"{what} {price_shown(now) or 'none'} by now, it was {price_shown(then) or 'none'}."
        for what, now, then in (
            (f"The {owner}'s price is", source, review.source_price),
            (f"The {other}'s price is", shows, review.old_price),
            ("The cost is", pair.item.cost, review.cost),
        )
        if now != then
    ]
    return " ".join(said)


def review_decide(*, review: PriceReview, approve: bool, by: User | None, reason: str, now: datetime) -> PriceReview:
    """Approve one change, to be written with the next run, or reject it until the owner's price changes again. Result: the
    decided review. Raises ConfigError where it is decided already, or its figures have changed since it was asked."""
    if not reason.strip():
        raise ConfigError("Nobody has said why.", next_step="Say why: it is kept in the history.")
    with transaction.atomic():
        fresh = (
            PriceReview.objects.select_for_update(of=("self",))
            .select_related("alignment__item", "alignment__listing", "store")
            .get(pk=review.pk)
        )
        if fresh.state != State.OPEN:
            raise ConfigError(f"It is decided already: {fresh.get_state_display()}.", next_step="There is nothing to do.")
        if approve and (changed := review_stale(fresh)):
            raise ConfigError(changed, next_step="Sync prices: it is asked again with the new figures, if it still must be.")
        fresh.state = State.APPROVED if approve else State.REJECTED
        fresh.decided_at, fresh.decided_by, fresh.reason = now, by, reason.strip()[:300]
        bulk_update_with_history(
            [fresh], PriceReview, list(DECISION), default_user=by, default_change_reason=reason.strip()[:100]
        )
    return fresh
