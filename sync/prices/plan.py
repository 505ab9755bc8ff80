"""Which prices differ, which of them may be written, and which a person must see first (prices.md)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from alignment.models import Alignment
from connectors.errors import ConnectorError
from inventory.models import Listing
from kit.bulk import chunks
from kit.gtin import gtin_valid
from sync.core.guards import repricing_guard
from sync.core.prices import Refuse, Review, Same, Write, price_judge
from sync.models import OutboundWrite, PricePolicy, PriceReview, TillPrice
from sync.prices.reviews import Asked, reviews_save
from sync.prices.rules import PriceTurn, price_policy_of, price_turn_of
from sync.selectors import listings_unread
from sync.turns.context import RunContext

UNPRICED = frozenset({"variable", "grouped", "variable-subscription"})  # their price is that of what they hold
MOST_NOTES = 50  # of one kind in one run
COUNTED = ("prices_same", "prices_refused", "prices_rejected", "prices_of_parts", "prices_of_packs")
COST_UNIT = Decimal("0.0001")
COLUMNS = (
    "id", "item_id", "listing_id", "item__sku", "listing__sku", "listing__kind", "item__price", "item__cost", "item__barcode",
    "listing__price", "listing__sale_price", "listing__barcode", "listing__cost", "item__connection_id",
    "units_per_listing",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair's prices, as both sides showed them last."""

    pair_id: int
    item_id: int
    listing_id: int
    sku: str
    woo_sku: str
    kind: str
    item_price: Decimal | None
    item_cost: Decimal | None
    item_barcode: str
    listing_price: Decimal | None
    sale_price: Decimal | None
    listing_barcode: str
    listing_cost: Decimal | None
    till_id: int
    units: int


@dataclass(slots=True)
class PriceChange:
    """What one pair's other side should be told. `target` None: its price stays."""

    pair: Pair
    shows: Decimal | None
    target: Decimal | None = None
    ends_sale: bool = False
    barcode: str = ""
    cost: Decimal | None = None
    review: PriceReview | None = None

    @property
    def reason(self) -> str:
        if self.target is None:
            return "From the till"
        return f"Approved by {self.review.decided_by or 'a person'}: {self.review.reason}"[:250] if self.review else ""


@dataclass(slots=True)
class PricePlan:
    """What a run would tell the shop, and what the tills."""

    to_shop: list[PriceChange] = field(default_factory=list)
    to_tills: list[PriceChange] = field(default_factory=list)


def prices_open(*, ctx: RunContext, is_whole: bool) -> None:
    """Learn how the store's prices are to be synced in this run, if there is anything to do. Raises ConnectorError; where only
    approved ones wait, what is wrong is noted, and the run goes on without them."""
    store = ctx.store.connection
    policy = price_policy_of(store=store)
    approved = PriceReview.objects.filter(store=store, state=PriceReview.State.APPROVED)
    if policy is None or not (is_whole or approved.exists()):
        return
    try:
        facts = ctx.store.store.price_facts()
        ctx.prices = price_turn_of(policy=policy, facts=facts, tills=[side.connection for side in ctx.tills], is_whole=is_whole)
    except ConnectorError as error:
        if is_whole:
            raise
        ctx.problem(side=ctx.store, subject="prices", error=error, fails_run=False)


def prices_to_read(*, ctx: RunContext) -> list[tuple[int, int]]:
    """Result: (remote id, parent remote id) of the listings whose approved price waits to be written: an absolute number is only
    written right after a reading."""
    if ctx.prices is None or ctx.prices.is_whole:
        return []
    waiting = Listing.objects.filter(alignments__price_reviews__in=_approved(ctx), missing_since=None).distinct()
    return list(waiting.values_list("remote_id", "parent_remote_id"))


def _approved(ctx: RunContext) -> QuerySet[PriceReview]:
    return PriceReview.objects.filter(store=ctx.store.connection, state=PriceReview.State.APPROVED)


def prices_find(*, ctx: RunContext) -> PricePlan:
    """Result: what should be told to whom; keeps the queue of those that wait for a person up to date. A run that would change
    too many prices is held. Without a rule for prices: nothing."""
    plan = PricePlan()
    if ctx.prices is None:
        return plan
    for name in COUNTED:  # a run may look at prices more than once
        ctx.counts[name] = 0
    sieve = _Sieve(ctx, ctx.prices, plan)
    for rows in chunks(_pairs(ctx, ctx.prices).iterator(chunk_size=1000)):
        sieve.take([Pair(*row) for row in rows])
    sieve.finish()
    return plan


def _pairs(ctx: RunContext, turn: PriceTurn) -> QuerySet[Alignment, tuple[Any, ...]]:
    """The confirmed pairs that both sides still have; not those with a write under way, or whose price was refused in this
    very run."""
    store, run = ctx.store.connection, ctx.run
    writes = OutboundWrite.objects.filter(listing=OuterRef("listing"))
    refused = writes.filter(run_id=run.pk, price__was_taken=False) if run.pk else OutboundWrite.objects.none()
    pairs = (
        Alignment.objects.filter(
            status=Alignment.Status.CONFIRMED, listing__connection=store, listing__missing_since=None, item__missing_since=None
        )
        .exclude(Exists(writes.filter(state__in=OutboundWrite.OPEN)))
        .exclude(Exists(refused))
        .exclude(listing__remote_id__in=listings_unread(store=store))
        .exclude(Exists(TillPrice.objects.filter(item=OuterRef("item"), state__in=TillPrice.OPEN)))
    )
    if not turn.is_whole:
        pairs = pairs.filter(price_reviews__in=_approved(ctx))
    return pairs.order_by("id").values_list(*COLUMNS)


class _Sieve:
    """Sorts pairs into those to be written and those for a person."""

    def __init__(self, ctx: RunContext, turn: PriceTurn, plan: PricePlan) -> None:
        self.ctx, self.turn, self.plan = ctx, turn, plan
        self.asked = Asked(ctx=ctx, turn=turn)
        self.pairs = 0
        self.torn = set() if turn.policy.price_source == PricePolicy.Source.POS else _sold_at_several_prices(ctx)
        self.told: set[int] = set()
        self.barcodes = _barcodes_taken(ctx) if turn.policy.push_barcodes else set()

    def take(self, pairs: Sequence[Pair]) -> None:
        newest = _newest_reviews([pair.pair_id for pair in pairs])
        for pair in pairs:
            self._one(pair, newest.get(pair.pair_id))
        reviews_save(ctx=self.ctx, asked=self.asked)

    def _one(self, pair: Pair, review: PriceReview | None) -> None:
        if pair.units != 1:  # what a pack costs, and its barcode, is no sum of the single's: nobody knows it here
            self.ctx.counts["prices_of_packs"] += 1
            self.asked.gone(review, "The product stands for several units by now, so its price is left alone.")
            return
        to_store = self.turn.policy.price_source == PricePolicy.Source.POS
        change = PriceChange(pair, pair.listing_price if to_store else pair.item_price)
        if self.turn.rule is not None:
            self.pairs += 1
            if pair.kind in UNPRICED:
                self.ctx.counts["prices_of_parts"] += 1
            else:
                self._judge(pair, change, review, to_store=to_store)
        if self.turn.is_whole and pair.kind not in UNPRICED:
            extras = change if to_store else PriceChange(pair, pair.listing_price)
            self._fill_in(pair, extras)
            if extras.barcode or extras.cost is not None or (to_store and extras.target is not None):
                self.plan.to_shop.append(extras)
        elif to_store and change.target is not None:
            self.plan.to_shop.append(change)
        if not to_store and change.target is not None:
            self._tell_till(pair, change)

    def _judge(self, pair: Pair, change: PriceChange, review: PriceReview | None, *, to_store: bool) -> None:
        assert self.turn.rule is not None
        source = pair.item_price if to_store else pair.listing_price
        sale = pair.sale_price if to_store else None
        verdict = price_judge(rule=self.turn.rule, price=source, shows=change.shows, sale=sale, cost=pair.item_cost)
        counts = self.ctx.counts
        match verdict:
            case Same():
                counts["prices_same"] += 1
                self.asked.gone(review, "Both sides show it by now.")
            case Refuse(code, why):
                counts["prices_refused"] += 1
                self._note(pair, code, why)
                self.asked.gone(review, why)
            case Write(figures, ends_sale):
                if self.asked.is_rejected(review, source):
                    return
                if review and review.state == PriceReview.State.OPEN:
                    self.asked.gone(review, "It is within the rule by now.")
                change.target, change.ends_sale = figures.target, ends_sale
                change.review = review if review and review.state == PriceReview.State.APPROVED else None
            case Review():
                assert source is not None  # else it were refused
                if self.asked.is_approved(pair.pair_id, review, verdict, source, change.shows, pair.item_cost):
                    change.target, change.ends_sale = verdict.figures.target, verdict.ends_sale
                    change.review = review

    def _fill_in(self, pair: Pair, change: PriceChange) -> None:
        """Barcode and cost, where they are wanted and the shop has none, or an older one of ours."""
        policy, code = self.turn.policy, pair.item_barcode
        if policy.push_barcodes and code and code != pair.listing_barcode and gtin_valid(code):
            if pair.listing_barcode:
                self._note(pair, "other_barcode", f"The shop has the barcode {pair.listing_barcode}, the till {code}.")
            elif code in self.barcodes:
                self._note(pair, "barcode_taken", f"The barcode {code} stands at another product already.")
            else:
                self.barcodes.add(code)
                change.barcode = code
        if policy.push_costs and self.turn.keeps_costs and pair.item_cost is not None and pair.item_cost != pair.listing_cost:
            change.cost = pair.item_cost.quantize(COST_UNIT)

    def _tell_till(self, pair: Pair, change: PriceChange) -> None:
        """An item may stand for several products: then they must agree."""
        if pair.item_id in self.torn:
            self._note(pair, "prices_differ", "The shop sells this item at several prices, so the till is not told any.")
        elif pair.item_id not in self.told:
            self.told.add(pair.item_id)
            self.plan.to_tills.append(change)

    def _note(self, pair: Pair, code: str, why: str) -> None:
        """Say it once a run, which may look at prices more than once."""
        known = [problem.subject for problem in self.ctx.problems if problem.code == code]
        if len(known) >= MOST_NOTES or pair.sku in known:
            return
        step = {
            "no_price": "Give it a price where prices are kept." if self.turn.rule else "",
            "other_barcode": "Correct the wrong one; nothing was overwritten.",
            "barcode_taken": "Look which of the two products it belongs to.",
            "prices_differ": "Give them one price, or align them with items of their own.",
        }.get(code, "Correct it where prices are kept.")
        self.ctx.problem(
            side=self.ctx.store,
            subject=pair.sku,
            error=ConnectorError(why, next_step=step, code=code),
            fails_run=False,
        )

    def finish(self) -> None:
        """The counts, a word about costs, and whether the run must be held."""
        ctx, plan = self.ctx, self.plan
        said = any(problem.code == "no_costs" for problem in ctx.problems)
        if self.turn.policy.push_costs and self.turn.keeps_costs is False and not said:
            error = ConnectorError(
                "The shop keeps no costs, so none were filled in.",
                next_step="Switch on “Cost of goods sold” in WooCommerce → Settings → Advanced → Features.",
                code="no_costs",
            )
            ctx.problem(side=ctx.store, subject=ctx.store.connection.name, error=error, fails_run=False)
        prices = [each for each in (*plan.to_shop, *plan.to_tills) if each.target is not None]
        ctx.counts["price_changes"] = len(prices)
        ctx.counts["price_reviews"] = _waiting(ctx).count()
        reason = repricing_guard(
            changes=sum(1 for each in prices if each.review is None),
            pairs=self.pairs,
            most_percent=self.turn.policy.guard_percent,
            previewed=ctx.previewed.get("price_changes", 0),
        )
        if reason:
            ctx.held_for.append(reason)


def _waiting(ctx: RunContext) -> QuerySet[PriceReview]:
    return PriceReview.objects.filter(store=ctx.store.connection, state=PriceReview.State.OPEN)


def _newest_reviews(pair_ids: Sequence[int]) -> dict[int, PriceReview]:
    newest = PriceReview.objects.filter(alignment_id__in=pair_ids).order_by().values("alignment_id").annotate(newest=Max("id"))
    found = PriceReview.objects.filter(pk__in=newest.values("newest")).select_related("decided_by")
    return {review.alignment_id: review for review in found}


def _sold_at_several_prices(ctx: RunContext) -> set[int]:
    """Result: the items that stand for several products of the store with different prices; packs of them aside."""
    pairs = Alignment.objects.filter(
        status=Alignment.Status.CONFIRMED, listing__connection=ctx.store.connection, listing__missing_since=None,
        units_per_listing=1,
    )  # fmt: skip
    several = pairs.order_by().values("item_id").annotate(prices=Count("listing__price", distinct=True)).filter(prices__gt=1)
    return set(several.values_list("item_id", flat=True))


def _barcodes_taken(ctx: RunContext) -> set[str]:
    codes = Listing.objects.filter(connection=ctx.store.connection).exclude(barcode="")
    return set(codes.values_list("barcode", flat=True))
