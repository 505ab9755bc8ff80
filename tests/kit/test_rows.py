"""Changing many rows at once: what is named is stored, exactly; nothing else moves."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from inventory.models import StockLevel
from kit.rows import rows_update
from sync.models import OutboundWrite, SyncRun
from tests import factories as make
from tests.ledger import keeping

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.django_db
def test_named_fields_of_every_row_are_stored_and_the_others_stay_as_they_were() -> None:
    till = make.pos_connection()
    levels = [make.level(make.item(till, f"MUG-{number}"), 5) for number in range(3)]
    for number, level in enumerate(levels[:2]):
        level.baseline, level.on_hand, level.read_at = Decimal(f"{number}.125"), Decimal(99), AT

    with keeping():
        rows_update(levels[:2], ["baseline", "read_at"])

    assert list(StockLevel.objects.order_by("pk").values_list("baseline", "on_hand", "read_at")) == [
        (Decimal("0.125"), 5, AT),
        (Decimal("1.125"), 5, AT),
        (5, 5, make.SEEN),
    ]


@pytest.mark.django_db
def test_none_text_choices_and_small_numbers_arrive_as_they_are() -> None:
    store = make.store_connection()
    listing = make.listing(store)
    run = SyncRun.objects.create(store=store, kind="full", state="done", started_at=AT)
    write = OutboundWrite.objects.create(
        connection=store, listing=listing, run=run, planned_from=1, planned_to=2, created_at=AT, delta=1, sent_at=AT
    )
    write.state, write.delta, write.sent_at = OutboundWrite.State.REJECTED, None, None
    write.attempts, write.error = 3, "no “it’s”"

    rows_update([write], ["state", "delta", "sent_at", "attempts", "error"])

    stored = OutboundWrite.objects.get()
    assert (stored.state, stored.delta, stored.sent_at, stored.attempts) == ("rejected", None, None, 3)
    assert (stored.error, stored.planned_to, stored.level) == ("no “it’s”", 2, None)


@pytest.mark.django_db
def test_a_row_that_was_deleted_meanwhile_is_not_made_again() -> None:
    level = make.level(make.item(make.pos_connection()))
    StockLevel.objects.filter(pk=level.pk).delete()

    rows_update([level], ["read_at"])
    rows_update([], ["read_at"])

    assert not StockLevel.objects.exists()


@pytest.mark.django_db
def test_what_is_added_is_added_to_what_is_there_by_now() -> None:
    level = make.level(make.item(make.pos_connection()), 5)
    with keeping():
        rows_update([level, level], ["read_at"], added={"on_hand": [Decimal("1.125"), Decimal(-2)]})
    assert StockLevel.objects.get().on_hand == Decimal("4.125")
