"""What an operator is told when Evenstock starts: of connections whose files lie where none may (`migrate`, `run`, `check`)."""

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import DatabaseError

from connectors.models import Connection
from connectors.registry import KINDS, kind_get
from connectors.settings.allowed import folders_allowed
from connectors.settings.folders import SETTING


@register(Tags.files)
def named_folders_are_not_ours(**_: Any) -> list[CheckMessage]:
    """A folder that was named, and of which nothing is open all the same."""
    folders = folders_allowed()
    return [
        checks.Warning(
            f"{SETTING} names {root}, which holds Evenstock's own data: no connection may use it.",
            hint="Name a folder of its own, such as one inside it.",
            id="connectors.W001",
        )
        for root in folders.named
        if not folders.allow(root)
    ]


@register(Tags.database)
def connections_keep_to_their_folders(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Connections in use that were saved before the operator's folders counted, or before they were changed."""
    if not databases:
        return []
    folders = folders_allowed()
    try:
        used = list(Connection.objects.filter(is_active=True, kind__in=KINDS).values_list("name", "kind", "settings"))
    except DatabaseError:  # not migrated yet
        return []
    return [
        checks.Warning(
            f"“{name}” can't be used: {why}", hint="Until then nothing of it is read or written.", id="connectors.W002"
        )
        for name, kind, kept in used
        for why in folders.refused(kind_get(kind).settings, kept).values()
    ]
