"""Which connection somebody means."""

from connectors.contract import Side
from connectors.errors import ConfigError
from connectors.models import Connection

SIDE_WORDS = {Side.POS: "till", Side.STORE: "store"}


def connections_of(*, side: Side | None = None) -> list[Connection]:
    """Result: the connections in use, by name, of one side or of both."""
    used = Connection.objects.filter(is_active=True).order_by("name")
    return [connection for connection in used if side is None or connection.side == side]


def connection_named(name: str, *, side: Side | None = None) -> Connection:
    """Result: the connection of that name. Raises ConfigError, naming those there are, where it is unknown, switched off or
    of the other side."""
    found = Connection.objects.filter(name=name).first()
    word = SIDE_WORDS[side] if side else "connection"
    if found is None:
        raise ConfigError(f"There is no connection “{name}”.", next_step=_names_to_use(connections_of(side=side), word))
    if side is not None and found.side != side:
        raise ConfigError(
            f"“{name}” is a {SIDE_WORDS[found.side]}, not a {word}.", next_step=_names_to_use(connections_of(side=side), word)
        )
    if not found.is_active:
        raise ConfigError(f"“{name}” is not in use.", next_step="Switch it on under Connections, or name another one.")
    return found


def connection_only(*, side: Side, option: str = "--connection") -> Connection:
    """Result: the only connection in use of that side. Raises ConfigError where there is none, or more to choose from."""
    used = connections_of(side=side)
    word = SIDE_WORDS[side]
    if not used:
        raise ConfigError(f"There is no {word} yet.", next_step="Connect one with the connect command.")
    if len(used) > 1:
        names = ", ".join(connection.name for connection in used)
        raise ConfigError(f"There are several {word}s: {names}.", next_step=f"Say which one with {option} NAME.")
    return used[0]


def _names_to_use(used: list[Connection], word: str) -> str:
    names = ", ".join(connection.name for connection in used)
    return f"Use one of: {names}." if names else f"There is no {word} yet: connect one with the connect command."
