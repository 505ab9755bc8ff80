"""Two catalogues from files: a till's export, and a store's products as its REST API gives them."""

import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args

from alignment.matching.parts.things import Thing, variation_name
from alignment.selectors import CONTAINERS
from connectors.contract import RowProblem, TillReading
from connectors.pos_csv.reading.parse import ParsedFile, parse_file
from connectors.pos_csv.reading.presets import PresetName
from connectors.pos_csv.reading.problems import FileRefusedError, rejects_row
from connectors.pos_csv.settings import Encoding, PosCsvSettings
from kit.errors import FileError, ToldError

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
PRESETS: tuple[PresetName, ...] = get_args(PresetName)
_CODES = ("ean", "gtin", "upc", "barcode", "isbn")


@dataclass(frozen=True, slots=True)
class FileCatalogue:
    """What a file says is sold. `unusable`: rows that had to be left out, each with its reason."""

    things: list[Thing]
    unusable: list[str]


def till_file_read(path: Path, *, preset: PresetName = "generic", encoding: Encoding | None = None) -> FileCatalogue:
    """Result: the items of a till's export, each once, keyed by their place. Without an encoding UTF-8 and then cp1252 are
    tried; numbers are read as the file itself tells. Raises ToldError where the file can't be used."""
    parsed = _parsed(path, preset, encoding)
    items: dict[str, TillReading] = {}
    for reading in parsed.readings:
        items.setdefault(reading.sku, reading)
    things = [
        Thing(key, item.sku, item.name, item.barcode, item.vendor, item.category, item.price)
        for key, item in enumerate(items.values())
    ]
    return FileCatalogue(things, [_told(problem) for problem in parsed.problems if rejects_row(problem)])


def _told(problem: RowProblem) -> str:
    line = f"Line {problem.line}: "
    return problem.message if problem.message.startswith(line) else line + problem.message


def _parsed(path: Path, preset: PresetName, encoding: Encoding | None) -> ParsedFile:
    if not path.is_file():
        raise _unreadable(path, "there is no such file")
    encodings: tuple[Encoding, ...] = (encoding,) if encoding else ("utf-8", "cp1252")
    refusal: ToldError | None = None
    for written in encodings:
        settings = PosCsvSettings(
            folder=".", preset=preset, encoding=written, duplicates="last", final_newline_required=False
        )  # fmt: skip
        try:
            return parse_file(path, settings)
        except FileRefusedError as error:
            refusal = refusal or error
            if error.code != "encoding":
                break
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from None
    raise refusal or _unreadable(path, "it says nothing")


def store_file_read(path: Path) -> FileCatalogue:
    """Result: what can be bought in a store's products: simple ones and variations, keyed by remote id. A parent of variations
    has no stock of its own, unless the store counts it there. Raises FileError where the file is no list of products."""
    products: dict[int, Mapping[str, Any]] = {}
    unusable: list[str] = []
    for place, product in enumerate(_products(path), start=1):
        remote_id = product.get("id") if isinstance(product, Mapping) else None
        if not isinstance(remote_id, int) or isinstance(remote_id, bool):
            unusable.append(f"product {place} has no id")
        else:
            products[remote_id] = product
    if not products:
        raise FileError(f"“{path.name}” holds no products.", next_step="Export the store's products again.")
    things = [
        _listing(remote_id, product, products.get(int(product.get("parent_id") or 0)))
        for remote_id, product in products.items()
        if product.get("type") not in CONTAINERS or product.get("manage_stock") is True
    ]
    return FileCatalogue(things, unusable)


def _products(path: Path) -> Iterator[Any]:
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise FileError(f"“{path.name}” is not UTF-8 at byte {error.start}.", next_step="Export it again.") from None
    except json.JSONDecodeError as error:
        raise FileError(
            f"“{path.name}” is no JSON: {error.msg} in line {error.lineno}, column {error.colno}.",
            next_step="The file is cut off or damaged: export the store's products again.",
        ) from None
    except RecursionError:
        raise FileError(f"“{path.name}” is nested too deeply.", next_step="Export the store's products again.") from None
    if not isinstance(content, list):
        raise FileError(
            f"“{path.name}” is not a list of products.", next_step="Export them as WooCommerce's REST API gives them: [{…}, {…}]."
        )
    yield from content


def _listing(remote_id: int, product: Mapping[str, Any], parent: Mapping[str, Any] | None) -> Thing:
    own = _text(product.get("name"))
    if parent is not None:
        options = [_text(attribute.get("option")) for attribute in _mappings(product.get("attributes"))]
        name = variation_name(_text(parent.get("name")), own, options)
    else:
        name = own
    described = (product, parent) if parent else (product,)
    return Thing(
        key=remote_id,
        sku=_text(product.get("sku")).strip(),
        name=name,
        barcode=_barcode(product),
        brand=_first_name(described, "brands"),
        category=_first_name(described, "categories"),
        price=_price(product.get("regular_price") or product.get("price")),
    )


def _barcode(product: Mapping[str, Any]) -> str:
    """The field WooCommerce has for it since 9.2, or what a plugin keeps."""
    own = _text(product.get("global_unique_id"))
    if own:
        return own
    for meta in _mappings(product.get("meta_data")):
        key, value = str(meta.get("key", "")).casefold(), meta.get("value")
        if any(word in key.strip("_").split("_") for word in _CODES) and isinstance(value, str | int):
            return str(value)
    return ""


def _first_name(products: tuple[Mapping[str, Any], ...], field: str) -> str:
    """Names come plain or as `{"id": 3, "name": "Media"}`."""
    for product in products:
        said = product.get(field)
        entries = said if isinstance(said, list) else []
        names = [_text(entry.get("name") if isinstance(entry, Mapping) else entry) for entry in entries]
        if any(names):
            return " ".join(filter(None, names))
    return ""


def _mappings(said: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in said if isinstance(entry, Mapping)] if isinstance(said, list) else []


def _text(said: Any) -> str:
    return html.unescape(str(said)) if isinstance(said, str | int) and not isinstance(said, bool) else ""


def _price(said: Any) -> Decimal | None:
    try:
        price = Decimal(str(said)) if said not in (None, "") else None
    except InvalidOperation:
        return None
    return price if price is not None and price.is_finite() else None


def _unreadable(path: Path, why: str) -> FileError:
    return FileError(f"“{path}” can't be read: {why}.", next_step="Check the file's name and its permissions.")
