"""A kept secret goes only where it was typed in for.

Whoever may change a connection may not read its secrets. So a change of where they go, by any setting that says so, asks for them
again: otherwise an address of one's own and a press of “Test” would have them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from connectors.errors import ConfigError
from connectors.settings.marks import Mark, field_label, marked

audit = logging.getLogger("evenstock.audit")
_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Kept:
    """`secrets`: what may be kept after a change. `moved`: the fields that now say otherwise where secrets go. `asked`: the
    secrets that must be typed again because of that; until they are, nothing may be saved."""

    secrets: Mapping[str, Any]
    moved: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """What a kind of connection, or of channel, asks for."""

    settings: type[BaseModel]
    secrets: type[BaseModel]

    def kept(
        self, *, before: Mapping[str, Any], secrets: Mapping[str, Any], after: Mapping[str, Any], typed: Mapping[str, Any]
    ) -> Kept:
        """Result: which `secrets` outlive a change of the settings from `before` to `after` in which `typed` ones were given.
        Typed ones always count; those that we make ourselves are made anew for a new place."""
        old = {name: value for name, value in secrets.items() if value}
        new = {**secrets, **typed}
        moved = (
            *(name for name in marked(self.settings, Mark.ADDRESS) if _leads_elsewhere(before.get(name), after.get(name))),
            *(name for name in marked(self.settings, Mark.AUTHORITY) if (before.get(name) or "") != (after.get(name) or "")),
            *(name for name in marked(self.secrets, Mark.ADDRESS) if _leads_elsewhere(secrets.get(name), new.get(name))),
        )
        left = old.keys() - typed.keys()
        if not moved or not left:
            return Kept(new, moved)
        made = marked(self.secrets, Mark.MADE)
        return Kept(dict(typed), moved, tuple(name for name in self.secrets.model_fields if name in left and name not in made))

    def label(self, name: str) -> str:
        """Result: what people call a field."""
        return field_label(name, (self.settings.model_fields | self.secrets.model_fields)[name])

    def require_typed(self, kept: Kept) -> None:
        """Raises ConfigError naming the secrets that must be typed again."""
        if kept.asked:
            raise ConfigError(
                f"{self.why(kept)} Nothing was saved.",
                next_step=f"Give these again: {', '.join(self.label(name) for name in kept.asked)}.",
                code="type_again",
            )

    def why(self, kept: Kept) -> str:
        """Result: why secrets are asked for again."""
        return f"{self.named(kept.moved)} changed, and what is kept is never sent to a place that it was not typed in for."

    def note_moved(self, moved: tuple[str, ...], *, system: str, by: str) -> None:
        """A line in the log `evenstock.audit`: who changed where the secrets of a system go; no address, some are secret."""
        if moved:
            audit.warning("Secrets of “%s” go elsewhere from now on: %s changed, by %s", system, self.named(moved), by)

    def named(self, names: tuple[str, ...]) -> str:
        """Result: these fields, as people call them."""
        return " and ".join(f"“{self.label(name)}”" for name in names)


def _leads_elsewhere(before: Any, after: Any) -> bool:
    """Result: is it another place? The same one in other letters is none, nor is the same one reached by TLS from now on."""
    if before == after:
        return False
    try:
        old, new = _place(str(before or "")), _place(str(after or ""))
    except ValueError:
        return True
    if old[2:] != new[2:]:
        return True
    (old_scheme, old_port), (new_scheme, new_port) = old[:2], new[:2]
    is_usual = old_port == _USUAL_PORTS["http"] and new_port == _USUAL_PORTS["https"]
    is_upgrade = (old_scheme, new_scheme) == ("http", "https") and (old_port == new_port or is_usual)
    return not is_upgrade and (old_scheme, old_port) != (new_scheme, new_port)


def _place(address: str) -> tuple[str, int, str, str, str, str]:
    """Result: scheme, port, then what must be equal letter by letter. Raises ValueError for what is no web address."""
    parts = urlsplit(address.strip())
    if parts.scheme not in _USUAL_PORTS or not parts.hostname:
        raise ValueError(address)
    user = parts.netloc.rpartition("@")[0]
    return parts.scheme, parts.port or _USUAL_PORTS[parts.scheme], user, parts.hostname, parts.path.rstrip("/"), parts.query
