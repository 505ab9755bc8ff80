"""Names of time zones."""

from zoneinfo import ZoneInfo

_NOT_EVERYWHERE = frozenset({"localtime", "posix", "posixrules", "right"})  # files beside the zones, on some machines


def zone_is_known(name: str) -> bool:
    """Does this machine know a time zone of exactly that name? One file is looked at; a name that leads elsewhere is none."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone; a path out of the folder, or no zone's file; a folder, or too long
        return False
    return name.partition("/")[0] not in _NOT_EVERYWHERE
