"""One rising version for everything a till changes, and the lists "what changed after version N"."""

from bisect import bisect_right
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class VersionLog(Generic[K]):
    """Keys in the order of their latest change. Not thread-safe: the till's lock guards it."""

    def __init__(self) -> None:
        self._versions: list[int] = []
        self._keys: list[K] = []
        self._latest: dict[K, int] = {}

    def touch(self, key: K, version: int) -> None:
        """Note that `key` changed; `version` is above every one noted before."""
        self._versions.append(version)
        self._keys.append(key)
        self._latest[key] = version
        if len(self._keys) > 2 * len(self._latest) + 1000:
            self._forget_superseded()

    def after(self, version: int, limit: int) -> tuple[list[K], int, bool]:
        """Up to `limit` keys last changed after `version`, the version to go on from, and whether there are more."""
        found: list[K] = []
        for at in range(bisect_right(self._versions, version), len(self._keys)):
            key, changed = self._keys[at], self._versions[at]
            if self._latest[key] != changed:
                continue
            if len(found) == limit:
                return found, version, True
            found.append(key)
            version = changed
        return found, version, False

    def _forget_superseded(self) -> None:
        live = [(version, key) for version, key in zip(self._versions, self._keys, strict=True) if self._latest[key] == version]
        self._versions = [version for version, _ in live]
        self._keys = [key for _, key in live]
