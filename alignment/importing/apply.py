"""An alignment file is planned, shown, and then applied: all of its good rows or, on any surprise, none."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alignment.errors import AlignmentChangedError
from alignment.importing.effects import EffectCounts, Known, Pair, RowEffect, Shelf, Thing
from alignment.importing.judge import rows_judge
from alignment.importing.rows import AlignmentRow
from alignment.models import Alignment
from alignment.selectors import is_stockable
from alignment.services.alignments import listings_recount, listings_reopen
from connectors.models import Connection
from inventory.models import Item, Listing
from kit.bulk import CHUNK, UPDATE_CHUNK, chunks, reason_text
from kit.errors import FileError
from kit.files.effects import Effect
from kit.sku import sku_key
from kit.statistics import statistics_refresh

_PAIR = ("pk", "item_id", "listing_id", "status", "match_type", "confidence", "units_per_listing")
_PARTNERS = ("item__sku", "listing__sku", "listing__remote_id", "listing__connection_id")


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do, row by row, for one till and one store."""

    pos: Connection
    store: Connection
    rows: Sequence[RowEffect]

    @cached_property
    def counts(self) -> EffectCounts:
        return EffectCounts.of(self.rows)

    @cached_property
    def problems(self) -> list[RowEffect]:
        return [effect for effect in self.rows if effect.is_problem]

    def of(self, effect: Effect) -> list[RowEffect]:
        """Result: the rows with that effect, in the file's order."""
        return [row for row in self.rows if row.effect == effect]

    @cached_property
    def fingerprint(self) -> str:
        """Equal for plans that do the same: what was looked at is what is applied."""
        digest = hashlib.sha256(f"{self.pos.pk} {self.store.pk}\n".encode())
        for row in self.rows:
            things = [thing.pk if thing else 0 for thing in (row.item, row.listing, row.pair)]
            says = f"{row.code} {row.match_type} {row.confidence} {row.units} {row.changes}"
            digest.update(f"{row.row.line} {row.effect} {things} {says}\n".encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did."""

    created: int
    changed: int
    unchanged: int
    problems: int


def plan_import(rows: Sequence[AlignmentRow], pos: Connection, store: Connection) -> ImportPlan:
    """Result: the effect of every row; nothing is written. Raises FileError where a catalogue was never read."""
    for connection, things in ((pos, Item.objects), (store, Listing.objects)):
        if not things.filter(connection=connection).exists():
            raise FileError(
                f"“{connection}” was never read, so no row can be matched.",
                next_step=f"Read both sides first: inventory_sync --full --connection {store}. Then import again.",
                code="never_read",
            )
    return ImportPlan(pos, store, rows_judge(rows, _known(rows, pos, store)))


def import_apply(*, plan: ImportPlan, by: AbstractBaseUser | None, reason: str) -> ImportResult:
    """Create and change the plan's good rows in one transaction; they are confirmed, with history under `by` and `reason`.
    Raises AlignmentChangedError, and does nothing, where the pairs are not as the plan saw them."""
    try:
        with transaction.atomic():
            _still_free(plan)
            created = _create(plan, by, reason)
            changed, confirmed, repacked = _change(plan, by, reason)
            listings_reopen(listing_ids=[*(alignment.listing_id for alignment in created), *confirmed])
            listings_recount(listing_ids=repacked)
    except IntegrityError:
        raise _changed_meanwhile() from None
    statistics_refresh(Alignment, rows=len(created))
    return ImportResult(len(created), len(changed), plan.counts.unchanged, plan.counts.problems)


def _changed_meanwhile() -> AlignmentChangedError:
    return AlignmentChangedError(
        "Alignments changed since this import was planned; nothing was applied.",
        next_step="Look at the new preview, then confirm again.",
    )


def _create(plan: ImportPlan, by: AbstractBaseUser | None, reason: str) -> list[Alignment]:
    new = [
        Alignment(
            item_id=row.item.pk,
            listing_id=row.listing.pk,
            match_type=row.match_type,
            confidence=row.confidence,
            units_per_listing=row.units_after,
            status=Alignment.Status.CONFIRMED,
            evidence=f"named in an alignment file, line {row.row.line}",
        )
        for row in plan.of(Effect.CREATE)
        if row.item and row.listing
    ]
    bulk_create_with_history(new, Alignment, batch_size=CHUNK, default_user=by, default_change_reason=reason_text(reason))
    return new


def _change(plan: ImportPlan, by: AbstractBaseUser | None, reason: str) -> tuple[list[Alignment], list[int], list[int]]:
    """Result: the changed pairs, the listings of those that were not confirmed before, and of those with another pack size."""
    wanted = {row.pair.pk: row for row in plan.of(Effect.CHANGE) if row.pair}
    changed: list[Alignment] = []
    for pks in chunks(wanted):
        changed += Alignment.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    if len(changed) != len(wanted):
        raise _changed_meanwhile()
    confirmed: list[int] = []
    repacked: list[int] = []
    for alignment in changed:
        row, pair = wanted[alignment.pk], wanted[alignment.pk].pair
        if pair != _pair(alignment):
            raise _changed_meanwhile()
        if alignment.status != Alignment.Status.CONFIRMED:
            confirmed.append(alignment.listing_id)
        elif alignment.units_per_listing != row.units_after:
            repacked.append(alignment.listing_id)
        alignment.units_per_listing = row.units_after
        alignment.status = Alignment.Status.CONFIRMED
        alignment.match_type, alignment.confidence = row.match_type, row.confidence
    bulk_update_with_history(
        changed, Alignment, ["status", "match_type", "confidence", "units_per_listing"],
        batch_size=UPDATE_CHUNK, default_user=by, default_change_reason=reason_text(reason),
    )  # fmt: skip
    return changed, confirmed, repacked


def _still_free(plan: ImportPlan) -> None:
    """Raises AlignmentChangedError where an item of the plan got another listing of that size in the store meanwhile; a listing
    that got another item meets a constraint."""
    wanted = {
        (row.item.pk, row.units_after): row.listing.pk
        for row in plan.rows
        if row.effect in (Effect.CREATE, Effect.CHANGE) and row.item and row.listing
    }
    for pks in chunks({item_id for item_id, _ in wanted}):
        confirmed = Alignment.objects.filter(status=Alignment.Status.CONFIRMED, item__in=pks).order_by()
        found = confirmed.values_list("item_id", "units_per_listing", "listing_id", "listing__connection_id")
        for item_id, units, listing_id, store_id in found:
            if store_id == plan.store.pk and wanted.get((item_id, units), listing_id) != listing_id:
                raise _changed_meanwhile()


def _known(rows: Iterable[AlignmentRow], pos: Connection, store: Connection) -> Known:
    """Result: the part of the catalogues and of the pairs that these rows can touch."""
    item_keys, listing_keys = set(), set()
    for row in rows:
        item_keys.add(sku_key(row.pos_sku))
        listing_keys.add(sku_key(row.store_sku))
    items = _items(pos, item_keys)
    listings = _listings(store, listing_keys)
    pairs: dict[tuple[int, int], Pair] = {}
    of_listing: dict[int, str] = {}
    of_item: dict[tuple[int, int], tuple[int, str]] = {}
    # By one indexed column and no order: a join on the store as well would make each chunk walk all of its listings.
    for name, things in (("listing", listings), ("item", items)):
        for pks in chunks(thing.pk for thing in things):
            near = Alignment.objects.filter(**{f"{name}__in": pks}).order_by().values_list(*_PAIR, *_PARTNERS)
            for *fields, item_sku, listing_sku, remote_id, store_id in near.iterator():
                if store_id != store.pk:
                    continue
                pair = Pair(*fields)
                pairs[(pair.item_pk, pair.listing_pk)] = pair
                if pair.status == Alignment.Status.CONFIRMED:
                    of_listing[pair.listing_pk] = item_sku
                    of_item[pair.item_pk, pair.units] = pair.listing_pk, listing_sku or f"#{remote_id}"
    return Known(Shelf(items), Shelf(listings), pairs, of_listing, of_item)


def _items(pos: Connection, keys: Iterable[str]) -> list[Thing]:
    return [
        Thing(item.pk, item.sku, item.sku_key, item.name, is_missing=item.missing_since is not None)
        for part in chunks(keys)
        for item in Item.objects.filter(connection=pos, sku_key__in=part).only("sku", "sku_key", "name", "missing_since")
    ]


def _listings(store: Connection, keys: Iterable[str]) -> list[Thing]:
    return [
        Thing(
            listing.pk,
            listing.sku,
            listing.sku_key,
            listing.name,
            is_missing=listing.missing_since is not None,
            is_stockable=is_stockable(listing),
        )
        for part in chunks(keys)
        for listing in Listing.objects.filter(connection=store, sku_key__in=part)
        .exclude(sku="")
        .only("sku", "sku_key", "name", "missing_since", "kind", "stock_management")
    ]


def _pair(alignment: Alignment) -> Pair:
    return Pair(
        alignment.pk, alignment.item_id, alignment.listing_id, alignment.status, alignment.match_type, alignment.confidence,
        alignment.units_per_listing,
    )  # fmt: skip
