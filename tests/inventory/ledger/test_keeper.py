"""The keeper alone writes the ledger, and each thing once (ledger.md §1)."""

import ast
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from inventory.ledger.keeper import Entry, Paper, Reading, book, store_accounts_reset, store_accounts_save, till_paid
from inventory.models import Listing, Movement, StockLevel, Voucher
from inventory.models.kept import AppendOnlyError, NotTheKeeperError
from kit.rows import rows_update
from tests import factories as make
from tests.factories import SEEN

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]
TABLES = ("movement", "voucher", "stocklevel", "listing")
APPS = ("config", "kit", "jobs", "connectors", "inventory", "alignment", "sync", "alerts", "reporting", "backoffice")


@pytest.fixture
def level():
    return make.level(make.item(make.pos_connection(), "MUG-1"), 5)


@pytest.fixture
def listing():
    return make.listing(make.store_connection(), baseline=Decimal(5), quantity=Decimal(5))


def entry(level: StockLevel, units: str | int, **changes: Any) -> Entry:
    paper = Paper(kind=Voucher.Kind.ORDER, connection_id=level.item.connection_id, document="512", line="7", number=1)
    made = Entry(paper=paper, level=level, units=Decimal(units), kind=Movement.Kind.ONLINE, occurred_at=SEEN)
    return replace(made, **changes)


def test_a_booking_writes_voucher_movement_and_shelf(level):
    vouchers = book([entry(level, -2, reason="Order 512")], at=SEEN)
    (movement,) = Movement.objects.all()
    assert (movement.quantity, movement.kind, movement.reason) == (-2, "online", "Order 512")
    assert movement.voucher in vouchers.values()
    assert movement.source == movement.voucher.connection == level.item.connection
    level.refresh_from_db()
    assert (level.on_hand, level.baseline, level.last_reading) == (3, 5, 5)  # nobody has told the till


def test_what_a_till_says_moves_its_baseline_with_the_shelf(level):
    book([entry(level, -2, reading=Reading(Decimal(3), Decimal(3)))], at=SEEN)
    level.refresh_from_db()
    assert (level.on_hand, level.baseline, level.last_reading, level.read_at) == (3, 3, 3, SEEN)


def test_a_first_count_makes_its_level():
    item = make.item(make.pos_connection(), "NEW")
    fresh = StockLevel(item=item, location=make.location(item.connection))
    book([entry(fresh, 4, reading=Reading(Decimal(4), Decimal(4)), kind=Movement.Kind.OPENING)], at=SEEN)
    stored = StockLevel.objects.get()
    assert (stored.on_hand, stored.baseline, stored.read_at) == (4, 4, SEEN)
    assert Movement.objects.get().quantity == 4


def test_units_are_added_to_what_lies_there_by_now(level):
    stale = StockLevel.objects.get()
    book([entry(level, -2)], at=SEEN)
    book([entry(stale, -1, paper=replace(entry(level, 0).paper, line="8"))], at=SEEN)
    level.refresh_from_db()
    assert level.on_hand == 2


def test_two_lines_of_one_item_in_a_batch_both_count(level):
    other = replace(entry(level, 0).paper, line="8")
    book([entry(level, -2), entry(level, -1, paper=other)], at=SEEN)
    level.refresh_from_db()
    assert level.on_hand == 2
    assert Voucher.objects.count() == Movement.objects.count() == 2


def test_the_same_thing_is_booked_once_and_the_rest_of_its_batch_not_at_all(level):
    book([entry(level, -2)], at=SEEN)
    with pytest.raises(IntegrityError), transaction.atomic():
        book([entry(level, -1, paper=replace(entry(level, 0).paper, line="8")), entry(level, -2)], at=SEEN)
    level.refresh_from_db()
    assert level.on_hand == 3
    assert Movement.objects.count() == 1


def test_movements_of_one_list_share_its_voucher():
    pos = make.pos_connection()
    paper = Paper(kind=Voucher.Kind.FEED, connection_id=pos.pk, document="a" * 64, number=1)
    one, two = (make.level(make.item(pos, sku)) for sku in ("A", "B"))
    book([entry(one, -1, paper=paper)], at=SEEN)
    book([entry(two, -1, paper=paper)], at=SEEN)  # its next thousand rows
    assert Voucher.objects.get().movements.count() == 2


def test_what_the_till_took_in_is_added_to_its_baseline(level):
    till_paid({level.pk: Decimal(-3)})
    level.refresh_from_db()
    assert (level.on_hand, level.baseline) == (5, 2)


def test_a_stores_account_is_saved_and_reset(listing):
    listing.baseline = Decimal(4)
    store_accounts_save([listing], ["baseline"])
    listing.refresh_from_db()
    assert listing.baseline == 4
    store_accounts_reset(ids=[listing.pk], closes=True)
    listing.refresh_from_db()
    assert (listing.baseline, listing.opened_at) == (None, None)


def _saved(row: Any, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()


WRITES: dict[str, Callable[[StockLevel, Listing, Movement], object]] = {
    "a movement": lambda level, _l, _m: Movement.objects.create(item=level.item, location=level.location, quantity=1),
    "many movements": lambda level, _l, _m: Movement.objects.bulk_create([Movement(item=level.item, quantity=1)]),
    "a voucher": lambda level, _l, _m: Voucher.objects.create(connection=level.item.connection, kind="feed", document="x"),
    "a voucher that is wanted": lambda level, _l, _m: Voucher.objects.get_or_create(
        connection=level.item.connection, kind="feed", document="x"
    ),
    "a level with a number": lambda level, _l, _m: StockLevel.objects.create(
        item=level.item, location=make.location(level.item.connection), on_hand=4
    ),
    "levels with numbers": lambda level, _l, _m: StockLevel.objects.bulk_create([StockLevel(item=level.item, baseline=4)]),
    "on hand": lambda _v, _l, _m: StockLevel.objects.update(on_hand=4),
    "on hand of one": lambda level, _l, _m: _saved(level, on_hand=4),
    "reserved": lambda _v, _l, _m: StockLevel.objects.filter(on_hand__gt=0).update(reserved=1),
    "a till's baseline": lambda level, _l, _m: StockLevel.objects.bulk_update([level], ["baseline"]),
    "a till's baseline by statement": lambda level, _l, _m: rows_update([level], ["baseline"]),
    "on hand by addition": lambda level, _l, _m: rows_update([level], [], added={"on_hand": [Decimal(1)]}),
    "a store's baseline": lambda _v, _l, _m: Listing.objects.update(baseline=4),
    "a store's baseline of one": lambda _v, listing, _m: listing.save(update_fields=["baseline", "name"]),
    "a listing with a baseline": lambda _v, listing, _m: make_listing(listing),
    "many listings with baselines": lambda _v, listing, _m: Listing.objects.bulk_create(
        [Listing(connection=listing.connection, remote_id=8, baseline=1)]
    ),
}


def make_listing(listing: Listing) -> None:
    Listing.objects.create(connection=listing.connection, remote_id=9, baseline=1, first_seen_at=SEEN)


@pytest.mark.parametrize("name", WRITES)
def test_nobody_else_writes(level, listing, name):
    before = [*StockLevel.objects.values(), *Listing.objects.values(), *Movement.objects.values(), *Voucher.objects.values()]
    with pytest.raises(NotTheKeeperError), transaction.atomic():
        WRITES[name](level, listing, Movement())
    after = [*StockLevel.objects.values(), *Listing.objects.values(), *Movement.objects.values(), *Voucher.objects.values()]
    assert after == before


def test_what_is_not_the_ledgers_is_everybodys(level, listing):
    StockLevel.objects.update(last_reading=4, read_at=SEEN)
    Listing.objects.filter(pk=listing.pk).update(quantity=4)
    listing.name = "Mug"
    listing.save(update_fields=["name"])
    Listing.objects.create(connection=listing.connection, remote_id=9, first_seen_at=SEEN)


@pytest.mark.parametrize("model", [Movement, Voucher])
def test_the_keeper_himself_changes_and_deletes_nothing(level, model):
    from tests.ledger import keeping

    book([entry(level, -2)], at=SEEN)
    row = model.objects.get()
    with keeping():
        for change in (
            lambda: model.objects.update(pk=1),
            lambda: model.objects.bulk_update([row], ["id"]),
            lambda: model.objects.all().delete(),
            lambda: row.save(),
            lambda: row.delete(),
        ):
            with pytest.raises(AppendOnlyError):
                change()


def _sources() -> list[Path]:
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    return [path for path in files if "migrations" not in path.parts and path.parts[-3:-1] != ("inventory", "ledger")]


def test_no_source_but_the_keepers_asks_to_keep_or_goes_around_the_models():
    found = []
    for path in _sources():
        text = path.read_text()
        tree = ast.parse(text)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        tables = [one for one in strings if any(f"inventory_{table}" in one and "UPDATE" in one.upper() for table in TABLES)]
        if path.name != "kept.py" and (names & {"keeping", "_is_keeping", "_base_manager"} or tables):
            found.append(str(path.relative_to(ROOT)))
    assert len(_sources()) > 300
    assert found == ["sync/upkeep/archive.py"]  # it deletes old rows of any model; those of the ledger are never named to it
