"""A note at the till, for whoever stands there: where the till can show one."""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from alerts.channels.message import Message, one_line
from alerts.channels.settings import TillNoteSettings
from connectors.contract import NotedTill, TillNote
from connectors.errors import ConfigError
from connectors.models import Connection
from connectors.services import CallLog, connection_open

MOST_LINES = 20  # nobody reads more while customers wait


def till_note_deliver(settings: TillNoteSettings, message: Message, now: Callable[[], datetime]) -> None:
    """Show it once. Raises ConnectorError; ConfigError where this till can't show notes, or may not be written to."""
    till = Connection.objects.filter(name=settings.till).first()
    if till is None or not till.is_active:
        raise ConfigError(
            f"There is no till “{settings.till}” in use.", next_step="Choose another under Channels.", code="no_till"
        )
    if not till.spec.capabilities.notes:
        raise ConfigError(
            f"“{till}” can't show notes.", next_step="Choose another channel for what it should know.", code="no_notes"
        )
    if not till.is_live:
        raise ConfigError(
            f"“{till}” is in observe mode, so nothing is written to it.", next_step="Set it live, or switch this channel off."
        )
    lines = [one_line(f"{line.title}: {line.words}", 180) for line in message.lines[:MOST_LINES]]
    left = message.more + len(message.lines) - len(lines)
    if left:
        lines.append(f"And {left} more: see Alerts in Evenstock.")
    note = TillNote(message.delivery, one_line(message.subject, 120), lines or [message.intro])
    log = CallLog(till)
    try:
        cast(NotedTill, connection_open(connection=till, log=log, now=now)).note(note)
    finally:
        log.flush()
