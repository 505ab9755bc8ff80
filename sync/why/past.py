"""What was so at a past moment: the ledger tells it exactly, the rest as far as rows and histories of then tell it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Max, Q

from alignment.models import Alignment
from connectors.errors import ConfigError
from inventory.models import Item, Listing
from kit.scopes import ScopeTable
from sync.core.why.facts import Moment
from sync.core.why.ledger import account_sentence, account_steps
from sync.core.why.policy import rule_sentence
from sync.core.why.steps import ZERO, Link, Step, moment_said
from sync.core.why.then import Known, Noted, ThenFacts, Told, then_known, then_sentence
from sync.limits import limits
from sync.models import OutboundWrite, SyncConflict, SyncPolicy, SyncState
from sync.why.links import Links
from sync.why.movements import Asked, Ledger, Window, ledger_of, page_of, window_tell
from sync.why.words import rule_rows, zone_of

State = OutboundWrite.State


@dataclass(frozen=True, slots=True)
class ShopThen:
    """One listing that was the item's then."""

    listing: Listing
    sentence: str
    known: Sequence[Known]


@dataclass(frozen=True, slots=True)
class ExplainedThen:
    """An item's numbers at a past moment."""

    item: Item
    zone: ZoneInfo
    at: datetime
    ledger: Ledger
    account: Sequence[Step]
    sentence: str
    shops: Sequence[ShopThen]
    window: Window


def item_explain_then(*, item: Item, asked: Asked, now: datetime) -> ExplainedThen:
    """Result: what was so of the item at the moment asked for. Raises ConfigError for one that has not come, or of which nothing
    is known. At most nine statements."""
    zone = zone_of(item.connection)
    when = Moment(now, zone)
    at = asked.at or now
    if at > now:
        raise ConfigError("That moment has not come yet.", next_step="Choose one in the past.")
    ledger = ledger_of(item, asked)
    if ledger.opened_at is None:
        raise ConfigError("Nothing is known of it yet.", next_step="Let the till count it first.")
    if not ledger.count:
        since = moment_said(ledger.opened_at, zone, now)
        raise ConfigError(f"Nothing is known of that moment: it was first counted {since}.", next_step="Choose a later one.")
    page = page_of(item, ledger, asked)
    links = Links(page.rows)
    pairs = {pair.pk: pair for pair in Alignment.history.as_of(at).filter(item_id=item.pk, status=Alignment.Status.CONFIRMED)}
    open_then = Q(alignment__in=list(pairs), detected_at__lte=at) & (Q(resolved_at=None) | Q(resolved_at__gt=at))
    conflicts = list(SyncConflict.objects.filter(open_then | links.wanted()))
    links.know(conflicts)
    return ExplainedThen(
        item=item,
        zone=zone,
        at=at,
        ledger=ledger,
        account=account_steps(ledger.totals),
        sentence=account_sentence(ledger.totals, was=True),
        shops=_shops(item, list(pairs.values()), conflicts, at, when) if pairs else [],
        window=window_tell(page, ledger, links, asked),
    )


def _shops(
    item: Item, pairs: Sequence[Alignment], conflicts: Sequence[SyncConflict], at: datetime, when: Moment
) -> list[ShopThen]:
    keys = {pair.listing_id for pair in pairs}
    listings = {one.pk: one for one in Listing.objects.filter(pk__in=keys).select_related("connection")}
    noted, told = _noted([pair.pk for pair in pairs], at), _told(keys, at)
    rules = ScopeTable(SyncPolicy.history.as_of(at).filter(Q(item_id=None) | Q(item_id=item.pk)))
    shops = []
    for pair in pairs:
        listing = listings.get(pair.listing_id)
        if listing is None:
            continue
        store = listing.connection
        chain = rules.chain(item_id=item.pk, category=item.category, connection_ids=[store.pk])
        facts = ThenFacts(
            store=store.name,
            till=item.connection.name,
            per=pair.units_per_listing,
            noted=noted.get(pair.pk),
            told=told.get(listing.pk),
            conflicts=[
                (Link("conflict", one.pk, one.get_conflict_type_display()), one.detected_at)
                for one in conflicts
                if one.alignment_id == pair.pk and one.detected_at <= at and (not one.resolved_at or one.resolved_at > at)
            ],
            rule=rule_sentence(rule_rows(chain, store=store.name)),
            writes_from=when.now - limits().keep,
        )
        shops.append(ShopThen(listing, then_sentence(facts, when), then_known(facts, at, when)))
    return shops


def _noted(pairs: Iterable[int], at: datetime) -> dict[int, Noted]:
    """Result: by pair, what our list of pairs said last before that moment; its history keeps each change."""
    rows = SyncState.history.filter(alignment_id__in=list(pairs), history_date__lte=at)
    newest = rows.order_by().values("alignment_id").annotate(newest=Max("history_id")).values("newest")
    return {
        row.alignment_id: Noted(
            row.history_date, row.pos_quantity, row.woo_quantity, SyncState.Status(row.sync_status).label, row.reason
        )
        for row in SyncState.history.filter(history_id__in=newest).exclude(history_type="-")
    }


def _told(listings: Iterable[int], at: datetime) -> dict[int, Told]:
    """Result: by listing, the last write sent before that moment that took effect, or might have."""
    sent = OutboundWrite.objects.filter(
        listing__in=list(listings), carries_number=True, sent_at__lte=at, state__in=[State.APPLIED, *OutboundWrite.UNANSWERED]
    )
    newest = sent.order_by().values("listing_id").annotate(newest=Max("pk")).values("newest")
    rows = OutboundWrite.objects.filter(pk__in=newest).select_related("connection")
    return {
        row.listing_id: Told(row.pk, row.connection.name, row.delta or ZERO, row.planned_to, row.sent_at, row.answered_at)
        for row in rows
        if row.sent_at and row.listing_id
    }
