"""What a pause kept waiting, asked and sent now."""

from collections.abc import Sequence

from connectors.models import Connection
from connectors.services import rest_end
from sync.models import OutboundWrite


def asked_now(*, connections: Sequence[Connection]) -> None:
    """A person wants these systems asked now: their rests end, and what they turned away goes out with the next turn. What a
    system asked for itself stands."""
    rest_end(connections=connections)
    writes_due(connections=connections)


def writes_due(*, connections: Sequence[Connection]) -> None:
    """Have what these systems turned away while they were closed sent with the next turn, whatever pause it was given."""
    waiting = OutboundWrite.objects.filter(connection__in=connections, state=OutboundWrite.State.PENDING)
    waiting.exclude(error_code="rate_limit").update(next_attempt_at=None)
