"""The recordings of a real WooCommerce, one object each."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "recordings" / "woocommerce"
# In the folder of 10.5 there are recordings of 10.2.4 from the same run, for comparison.
OLD_MARKS = ("_old", "v_a10_old")


@dataclass(frozen=True)
class Recording:
    """One file. `name` is `10.2/a01_…`; `family` says which of the three recorded shops it comes from."""

    name: str
    content: Any

    @property
    def family(self) -> str:
        folder, _, rest = self.name.partition("/")
        return "10.5-old" if folder == "10.5" and any(mark in rest for mark in OLD_MARKS) else folder

    @property
    def version(self) -> str:
        return "10.5" if self.family == "10.5" else "10.2"

    @property
    def is_exchange(self) -> bool:
        return isinstance(self.content, dict) and {"request", "response"} <= set(self.content)

    @property
    def request(self) -> dict[str, Any]:
        return self.content["request"]

    @property
    def method(self) -> str:
        return self.request["method"]

    @property
    def path(self) -> str:
        return self.request["path"].removeprefix("/wp-json")

    @property
    def response(self) -> dict[str, Any]:
        return self.content["response"]

    @property
    def body(self) -> Any:
        return self.response["body"]

    @property
    def headers(self) -> dict[str, str]:
        return self.response["headers"]

    @cached_property
    def at(self) -> datetime:
        return parsedate_to_datetime(self.headers["Date"]).astimezone(UTC)

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{ {'10.2': 8088, '10.5': 8098, '10.5-old': 8096}[self.family] }"


def all_recordings() -> dict[str, Recording]:
    """Result: every recording by name."""
    found = {}
    for path in sorted(FOLDER.glob("*/*.json")):
        name = f"{path.parent.name}/{path.stem}"
        found[name] = Recording(name, json.loads(path.read_text(encoding="utf-8")))
    return found


RECORDINGS = all_recordings()


def exchanges(*prefixes: str) -> list[str]:
    """Result: the names of the recorded exchanges that start so."""
    return [name for name, one in RECORDINGS.items() if one.is_exchange and name.startswith(prefixes)]


def is_cut(rows: Any) -> bool:
    """Result: whether the recording keeps only the first rows of a list."""
    return isinstance(rows, list) and any(isinstance(row, dict) and "_recording_note" in row for row in rows)


def kept(rows: list[Any]) -> list[Any]:
    """Result: the rows the recording kept."""
    return [row for row in rows if not (isinstance(row, dict) and "_recording_note" in row)]
