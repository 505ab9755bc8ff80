"""Which files of this machine a connection may touch.

An admin of the shop types a path, the operator of the machine decides below which folders it may lie: without that, a till whose
folder is our data folder would show its keys. A path counts by where it leads to now, when it is used: a link
made since it was saved is followed first. A second name of the same file (a hard link) can't be seen.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from connectors.errors import ConfigError
from connectors.settings.marks import Mark, marked

SETTING = "EVENSTOCK_FOLDERS"


@dataclass(frozen=True, slots=True)
class Folders:
    """`base`: where a relative path begins. `named`: what the operator named; nothing by itself. `ours`: what holds our own data,
    of which only folders named inside it count. `never`: not even those. Make it with `folders_of`; its paths hold no links."""

    base: Path = Path("/")
    named: tuple[Path, ...] = ()
    ours: tuple[Path, ...] = ()
    never: tuple[Path, ...] = ()

    def led_to(self, path: str | Path) -> Path:
        """Result: the path without links and `..`, as they lead now. Raises ConfigError where that is in no named folder."""
        real = _real(self.base / path)
        if not self.allow(real):
            named = ", ".join(map(str, self.named)) or "none"
            leads = "" if str(path) == str(real) else f" (that is {real})"
            raise ConfigError(
                f"“{path}”{leads} is in none of the folders that are open to connections. Open are: {named}.",
                next_step=f"Use one of these, or have the operator name its folder in {SETTING}. "
                "A folder with Evenstock's own data is never open.",
                code="folder_not_open",
            )
        return real

    def allow(self, real: Path) -> bool:
        """Result: may a connection touch this? `real` holds no links."""
        return not any(_lies(real, kept) for kept in self.never) and any(
            _lies(real, root) and not any(_lies(real, own) and not _lies_inside(root, own) for own in self.ours)
            for root in self.named
        )

    def refused(self, model: type[BaseModel], settings: Mapping[str, Any]) -> dict[str, str]:
        """Result: for each setting that names a file or folder which is not open, why."""
        refused = {}
        for name in marked(model, Mark.FOLDER, Mark.AUTHORITY):
            try:
                if settings.get(name):
                    self.led_to(str(settings[name]))
            except ConfigError as error:
                refused[name] = str(error)
        return refused


def folders_of(*, base: Path, named: Iterable[str | Path], ours: Iterable[Path], never: Iterable[Path]) -> Folders:
    """Result: these, with links and `..` led to their ends. Relative ones begin at `base`."""
    base = _real(base)
    real_named, real_ours, real_never = (tuple(_real(base / one) for one in some) for some in (named, ours, never))
    return Folders(base, real_named, real_ours, real_never)


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except (ValueError, OSError) as error:
        raise ConfigError(f"“{path}” is no path.", next_step="Check it for typing errors.", code="folder_not_open") from error


def _lies(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def _lies_inside(path: Path, folder: Path) -> bool:
    return path != folder and path.is_relative_to(folder)
