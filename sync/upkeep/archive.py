"""Old rows out of the database, into files that anybody can read: written, read back, and only then deleted.

Killed in between, rows are in two files, never in none. What changes while its file is written stays in the database.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet

from kit.bulk import chunks

IN_A_FILE = 10_000  # rows; what must be remembered of them is small
AT_A_TIME = 500  # rows of one transaction, so that nobody waits for the database
UNFINISHED = ".part"


class ArchiveError(Exception):
    """What was written could not be read back, or deleting would have taken more than was written. Nothing was deleted."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that may leave the database. `at`: the moment that says to which month one belongs. `children`: names of related rows
    that go with it. A row that anything else points to stays. Not `is_kept`: forgotten without a file."""

    name: str
    rows: QuerySet[Any]
    at: str
    children: tuple[str, ...] = ()
    is_kept: bool = True

    @property
    def free(self) -> QuerySet[Any]:
        """Result: those that nothing else points to."""
        rows = self.rows.order_by()
        for relation in self.rows.model._meta.related_objects:  # noqa: SLF001 - Django documents it under this name
            if relation.get_accessor_name() not in self.children and self.is_kept:
                pointing = _all(relation.related_model).filter(**{relation.field.name: OuterRef("pk")})
                rows = rows.exclude(Exists(pointing))
        return rows


def _all(model: Any) -> QuerySet[Any]:
    """Result: every row, whatever the model's own manager leaves out."""
    rows: QuerySet[Any] = model._base_manager.all()  # noqa: SLF001 - Django documents it under this name
    return rows


def archive_folder() -> Path:
    return Path(settings.DATA_DIR) / "archive"


def kind_archive(*, kind: Kind, now: datetime, most: int) -> int:
    """Move up to `most` rows, the oldest first, into files of one month each, or forget them. Result: how many have left the
    database. Raises OSError and ArchiveError: what was not safely written is still there."""
    left = 0
    while left < most:
        chosen = _oldest(kind, min(IN_A_FILE, most - left))
        gone = _move(kind, chosen, now) if chosen else 0
        left += gone
        if not gone:  # none there, or all of them have changed just now
            break
    return left


def _oldest(kind: Kind, most: int) -> list[tuple[Any, date]]:
    """Result: key and month of the oldest rows, of one month."""
    rows = [(pk, at.date().replace(day=1)) for pk, at in kind.free.order_by(kind.at, "pk").values_list("pk", kind.at)[:most]]
    return [row for row in rows if row[1] == rows[0][1]]


def _move(kind: Kind, chosen: Sequence[tuple[Any, date]], now: datetime) -> int:
    keys = [pk for pk, _ in chosen]
    if not kind.is_kept:
        return sum(_forget(kind, part) for part in chunks(keys, AT_A_TIME))
    folder = archive_folder() / f"{chosen[0][1]:%Y-%m}"
    written = _write(folder / f"{kind.name}-{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}.jsonl.gz", kind, keys)
    return sum(_delete(kind, part, written) for part in chunks(keys, AT_A_TIME))


def _forget(kind: Kind, keys: Sequence[Any]) -> int:
    deleted: int = kind.rows.filter(pk__in=keys).delete()[1].get(kind.rows.model._meta.label, 0)  # noqa: SLF001
    return deleted


# -- writing -----------------------------------------------------------------------------------------------------------


def _write(path: Path, kind: Kind, keys: Sequence[Any]) -> dict[Any, bytes]:
    """Put these rows into a file of their own, safe on the disk and read back. Result: by key, a digest of what it says."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(path.name + UNFINISHED)
    written: dict[Any, bytes] = {}
    draft.touch(mode=0o600, exist_ok=False)
    with draft.open("wb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
            for part in chunks(keys, AT_A_TIME):
                for each in _lines(kind, part):
                    packed.write(each.text)
                    written[each.pk] = _digest(each.text)
        file.flush()
        os.fsync(file.fileno())
    _read_back(draft, list(written.values()))
    draft.rename(path)
    for folder in (path.parent, path.parent.parent):
        _folder_sync(folder)
    return written


def _read_back(path: Path, expected: list[bytes]) -> None:
    with gzip.open(path) as file:
        found = [_digest(line) for line in file]
    if found != expected:
        raise ArchiveError(f"{path} holds {len(found)} rows of {len(expected)}, or other ones. Nothing was deleted.")


def _folder_sync(folder: Path) -> None:
    """A file whose name is not on the disk is lost with the power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class _Line:
    """A row and what goes with it as JSON; `rows`: how many these are together."""

    pk: Any
    text: bytes
    rows: int


def _lines(kind: Kind, keys: Sequence[Any]) -> Iterator[_Line]:
    """Result: in order, those that may still go."""
    rows = {row["id"]: row for row in kind.free.filter(pk__in=keys).values()}
    of = {name: _children(kind.rows.model, name, rows) for name in kind.children}
    for pk in keys:
        if pk in rows:
            document = {"model": kind.rows.model._meta.label_lower, "row": rows[pk]}  # noqa: SLF001
            with_it = {name: found.get(pk, []) for name, found in of.items()}
            text = json.dumps(document | with_it, ensure_ascii=False, default=_plain, separators=(",", ":"))
            yield _Line(pk, text.encode() + b"\n", 1 + sum(map(len, with_it.values())))


def _children(model: type[Model], name: str, parents: dict[Any, Any]) -> dict[Any, list[dict[str, Any]]]:
    relation = next(one for one in model._meta.related_objects if one.get_accessor_name() == name)  # noqa: SLF001
    field = relation.field
    found: dict[Any, list[dict[str, Any]]] = {}
    rows = _all(relation.related_model).filter(**{f"{field.name}__in": list(parents)})
    for row in rows.order_by("pk").values():
        found.setdefault(row[field.attname], []).append(row)
    return found


def _plain(value: object) -> str:
    """Result: what JSON has no word for, as exactly as the database held it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be archived")


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=16).digest()


# -- deleting ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def _delete(kind: Kind, keys: Sequence[Any], written: dict[Any, bytes]) -> int:
    """Delete what still is as it was written. Result: how many."""
    model = kind.rows.model
    list(_all(model).select_for_update().filter(pk__in=keys).values_list("pk", flat=True))  # nobody changes them now
    same = [line for line in _lines(kind, keys) if written.get(line.pk) == _digest(line.text)]
    deleted, _ = _all(model).filter(pk__in=[line.pk for line in same]).delete()
    if deleted != (going := sum(line.rows for line in same)):
        raise ArchiveError(f"Deleting {len(same)} of “{kind.name}” would take {deleted} rows, not {going}. Nothing was deleted.")
    return len(same)


def leftovers_remove(*, now: datetime) -> None:
    """What a killed pass had begun to write, a day ago or longer: its rows are still in the database."""
    for path in archive_folder().glob(f"*/*{UNFINISHED}"):
        if path.stat().st_mtime < now.timestamp() - 24 * 3600:
            path.unlink(missing_ok=True)
