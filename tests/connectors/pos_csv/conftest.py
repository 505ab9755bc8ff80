"""A drop folder on a real disk, and a till that looks into it."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.contract import Context
from connectors.pos_csv.kind import KIND
from connectors.pos_csv.settings import PosCsvSettings
from connectors.pos_csv.till import PosCsvTill
from connectors.settings.folders import folders_of

NOW = datetime(2026, 2, 11, 10, 0, tzinfo=UTC)
HYDRO = Path(__file__).resolve().parents[3] / "sandbox" / "data" / "hydro"


def settings(**given: object) -> PosCsvSettings:
    return PosCsvSettings.model_validate({"folder": "drop", **given})


class Drop:
    """The folder as the till's side sees it. Files are written an hour before the clock, so they rest."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.root = data_dir / "drop"
        self.root.mkdir()
        self.now = NOW

    def put(self, name: str, content: str | bytes, *, age: timedelta = timedelta(hours=1), encoding: str = "utf-8") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        self.touch(path, age=age)
        return path

    def touch(self, path: Path, *, age: timedelta = timedelta(0)) -> None:
        moment = (self.now - age).timestamp()
        os.utime(path, (moment, moment))

    def till(self, *, named: Sequence[Path] | None = None, **given: object) -> PosCsvTill:
        """`named`: the folders that the operator has opened; by itself that of the tests."""
        context = Context(
            settings=KIND.settings.model_validate({"folder": "drop", **given}),
            credentials=KIND.credentials.model_validate({}),
            record=lambda _: None,
            now=lambda: self.now,
            folders=folders_of(base=self.data_dir, named=[self.data_dir.parent] if named is None else named, ours=[], never=[]),
        )
        return KIND.build(context)

    def names(self, folder: str = "") -> list[str]:
        """The till's own names of the files there, reports left out."""
        where = self.root / folder if folder else self.root
        files = [path.name for path in where.iterdir() if path.is_file()] if where.is_dir() else []
        return sorted(name for name in files if not name.endswith(".report.txt"))

    def report(self, folder: str) -> str:
        (path,) = (self.root / folder).glob("*.report.txt")
        return path.read_text(encoding="utf-8")


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file to be parsed without a folder around it."""

    def put(content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / "export.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return put
