"""Numbers of the ledger put in place for a test, as if the keeper had written them."""

from collections.abc import Iterable
from typing import Any

from connectors.models import Connection
from inventory.models import Movement, Voucher
from inventory.models.kept import keeping

__all__ = ["booked", "keeping", "moved"]


def moved(*, source: Connection, of: str | tuple[Any, ...], **fields: Any) -> Movement:
    """A movement that is not stored yet. `of`: what its voucher is of: kind, document, line and number; or one word."""
    kind, document, *rest = of if isinstance(of, tuple) else ("other", of)
    line, number = rest or ("", 0)
    return Movement(
        source=source,
        voucher=Voucher(kind=kind, connection=source, document=document, line=line, number=number),
        **fields,
    )


def booked(movements: Iterable[Movement]) -> list[Movement]:
    """Store movements with vouchers of their own. What lies on the shelf is not changed."""
    movements = list(movements)
    with keeping():
        Voucher.objects.bulk_create([movement.voucher for movement in movements], batch_size=2000)
        for movement in movements:
            movement.voucher_id = movement.voucher.pk
        return Movement.objects.bulk_create(movements, batch_size=2000)
