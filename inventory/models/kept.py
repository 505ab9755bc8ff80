"""Rows that only the keeper writes: whoever else tries is refused (ledger.md §1)."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, NoReturn, TypeVar

from django.db import models

M = TypeVar("M", bound="KeptModel")
_is_keeping: ContextVar[bool] = ContextVar("is_keeping", default=False)


class NotTheKeeperError(Exception):
    """A number of the ledger was to be written from elsewhere. Ask `inventory.ledger.keeper` for it."""


@contextmanager
def keeping() -> Iterator[None]:
    """What is written inside is written by the keeper. For `inventory.ledger` alone."""
    token = _is_keeping.set(True)
    try:
        yield
    finally:
        _is_keeping.reset(token)


class KeptQuerySet(models.QuerySet[M]):
    """Refuses what `KeptModel` does, for many rows at once."""

    def update(self, **kwargs: Any) -> int:
        self.model.check_written(kwargs)
        return super().update(**kwargs)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], *args: Any, **kwargs: Any) -> int:
        fields = list(fields)
        self.model.check_written(fields)
        return super().bulk_update(objs, fields, *args, **kwargs)

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        objs = list(objs)
        for row in objs:
            row.check_made()
        return super().bulk_create(objs, *args, **kwargs)


class KeptModel(models.Model):
    """A row with numbers of the ledger. `KEPT` names them; they are made as they are by default, and changed by the keeper."""

    KEPT: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.check_made()
        else:
            named: Sequence[str] | None = kwargs.get("update_fields")
            self.check_written(self.KEPT if named is None else named)
        super().save(*args, **kwargs)

    @classmethod
    def check_written(cls, fields: Iterable[str]) -> None:
        """Raises NotTheKeeperError where one of these fields is the keeper's, and somebody else writes."""
        if not _is_keeping.get() and (named := cls.KEPT.intersection(fields)):
            raise NotTheKeeperError(f"{cls.__name__}: {', '.join(sorted(named))} belong to the keeper.")

    def check_made(self) -> None:
        """Raises NotTheKeeperError where a new row brings numbers of its own, and somebody else makes it."""
        fields = {field.name: field for field in self._meta.concrete_fields}
        self.check_written([name for name in self.KEPT if getattr(self, name) != fields[name].get_default()])


class AppendOnlyError(Exception):
    """Somebody tried to change or delete a row of the ledger. Write a movement that corrects it instead."""


class AppendOnlyQuerySet(KeptQuerySet[M]):
    """Nothing in it is ever changed or deleted."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The ledger is never changed. Write a movement that corrects it.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The ledger is never changed. Write a movement that corrects it.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Nothing of the ledger is deleted. Write a movement that corrects it.")


class AppendOnlyModel(KeptModel):
    """A row that is written once, by the keeper."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("The ledger is never changed. Write a movement that corrects it.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Nothing of the ledger is deleted. Write a movement that corrects it.")

    def check_made(self) -> None:
        if not _is_keeping.get():
            raise NotTheKeeperError(f"{type(self).__name__}: only the keeper writes one.")
