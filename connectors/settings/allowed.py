"""What the operator of the machine lets connections touch, by the settings of this installation."""

from pathlib import Path

from django.conf import settings

from connectors.settings.folders import Folders, folders_of

# In the data folder, what is ours for good. /proc shows the secrets in our environment.
_OURS = ("archive", "broker", "static", "uploads", "secret_key", "salt_key")
_NEVER = (Path("/proc"),)


def folders_allowed() -> Folders:
    """Result: the folders below which a connection's files may lie."""
    data = Path(settings.DATA_DIR)
    database = settings.DATABASES["default"]
    file = Path(str(database["NAME"])) if database["ENGINE"].endswith("sqlite3") else None
    return folders_of(
        base=data,
        named=settings.EVENSTOCK_FOLDERS,
        ours=[data, settings.BASE_DIR, *([file.parent] if file and file.is_absolute() else [])],
        never=[*(data / name for name in _OURS), *_NEVER],
    )
