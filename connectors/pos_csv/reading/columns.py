"""Which column holds what. Configured names win; a preset decides by its order; the generic aliases must find exactly one."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.errors import ConfigError, FeedError
from connectors.pos_csv.reading.presets import KNOWN_NAMES, PRESETS, ROLES, TRACKED, Preset, Role, header_key
from connectors.pos_csv.reading.problems import FileRefusedError
from connectors.pos_csv.reading.spellings import Sort
from connectors.pos_csv.settings import PosCsvSettings


@dataclass(frozen=True, slots=True)
class OutletColumn:
    """Where one outlet's quantity (and price, where outlets have their own) stands. `outlet` "" is the only one."""

    outlet: str
    quantity: int
    price: int | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions by role; None where the file has no such column."""

    header: tuple[str, ...]
    roles: dict[Role, int]
    quantities: tuple[OutletColumn, ...]
    component: int | None = None
    row_id: int | None = None
    are_named: bool = True  # False: quantities stand where a pattern of the shop's own says, which any line may fit

    def of(self, role: Role) -> int | None:
        return self.roles.get(role)

    def numbers(self) -> list[tuple[int, Sort]]:
        """Result: the columns that hold numbers, and of what sort."""
        found: dict[int, Sort] = {column.quantity: "quantity" for column in self.quantities}
        for index in (self.of("cost"), *(column.price for column in self.quantities)):
            if index is not None:
                found.setdefault(index, "money")
        return list(found.items())

    def found(self) -> dict[str, str]:
        """Result: role → header, for people."""
        named: dict[str, str] = {role: self.header[index] for role, index in self.roles.items()}
        for column in self.quantities:
            named[f"quantity at {column.outlet}" if column.outlet else "quantity"] = self.header[column.quantity]
        return named


def resolve(header: Sequence[str], settings: PosCsvSettings) -> Columns:
    """Result: the columns of this header. Raises FileRefusedError where a needed one is absent (another file, a renamed header),
    ConfigError where two columns could hold one role and only a person can tell which."""
    preset = PRESETS[settings.preset]
    keys = [header_key(name) for name in header]
    roles = {role: index for role in ROLES if (index := _role(role, header, keys, preset, settings)) is not None}
    sku = roles.get("sku")
    outlets = tuple(column for column in _outlets(header, settings, preset) if column.quantity != sku)
    quantity = roles.pop("quantity", None)
    if quantity == sku:
        quantity = None  # no column is both
    if outlets and quantity is not None:
        raise _ambiguous("quantity", [header[quantity], *(header[column.quantity] for column in outlets)])
    if quantity is not None:
        outlets = (OutletColumn("", quantity, roles.get("price")),)
    else:
        shared = roles.get("price")
        outlets = tuple(OutletColumn(c.outlet, c.quantity, shared if c.price is None else c.price) for c in outlets)
    if "sku" not in roles or not outlets:
        raise _absent("SKU" if "sku" not in roles else "quantity", header, settings)
    return Columns(
        header=tuple(header),
        roles=roles,
        quantities=outlets,
        component=_position(preset.component, keys),
        row_id=_position(preset.row_id, keys),
        are_named=not settings.outlet_columns or bool(settings.columns.get("quantity")),
    )


def resolves(header: Sequence[str], settings: PosCsvSettings) -> bool:
    """Result: does `resolve` find the columns that are needed?"""
    try:
        resolve(header, settings)
    except (ConfigError, FeedError):
        return False
    return True


def recognised(header: Sequence[str], settings: PosCsvSettings) -> dict[str, str]:
    """Result: role → header, as far as that is clear; for people, also where a file can't be used yet."""
    try:
        return resolve(header, settings).found()
    except (ConfigError, FileRefusedError):
        pass
    preset, keys = PRESETS[settings.preset], [header_key(name) for name in header]
    found: dict[str, str] = {}
    for role in ROLES:
        try:
            at = _role(role, header, keys, preset, settings)
        except (ConfigError, FileRefusedError):
            continue
        if at is not None:
            found[role] = header[at]
    return found


def _role(role: Role, header: Sequence[str], keys: list[str], preset: Preset, settings: PosCsvSettings) -> int | None:
    if role in settings.columns:
        return _configured(role, header, keys, settings)
    if role == "quantity" and settings.outlet_columns:
        return None
    if preset.strict:
        wanted = [header_key(name) for name in preset.headers.get(role, TRACKED if role == "tracked" else ())]
        found = (_the_one(role, header, [index for index, key in enumerate(keys) if key == name]) for name in wanted)
        return next((index for index in found if index is not None), None)
    taken = {header_key(name) for other, name in settings.columns.items() if other != role}
    for aliases in (preset.headers.get(role, ()), preset.fallbacks.get(role, ())):
        known = {header_key(name) for name in aliases} - taken
        index = _the_one(role, header, [index for index, key in enumerate(keys) if key in known])
        if index is not None:
            return index
    return None


def _the_one(role: Role, header: Sequence[str], at: Sequence[int]) -> int | None:
    """Result: the only place; None where there is none. Raises ConfigError where there are several."""
    if len(at) > 1:
        raise _ambiguous(role, [header[index] for index in at])
    return at[0] if at else None


def _configured(role: Role, header: Sequence[str], keys: list[str], settings: PosCsvSettings) -> int | None:
    wanted = settings.columns[role]
    if not wanted:
        return None
    exact = [index for index, name in enumerate(header) if name == wanted]
    found = _the_one(role, header, exact or [index for index, key in enumerate(keys) if key == header_key(wanted)])
    if found is None:
        raise FileRefusedError(
            f"The file has no column “{wanted}”, which is set as the {role} column. {_it_has(header, settings)}",
            code="header",
            next_step=f"If the till renamed it, change the setting columns.{role}; else export the right list again.",
        )
    return found


def _outlets(header: Sequence[str], settings: PosCsvSettings, preset: Preset) -> tuple[OutletColumn, ...]:
    if settings.columns.get("quantity") or not _knows_one(header, settings):
        return ()  # a pattern of the shop's own fits any line, also one that is no header
    quantities = _by_outlet(header, settings.outlet_columns or preset.outlet_quantity)
    prices = _by_outlet(header, preset.outlet_price)
    return tuple(OutletColumn(outlet, index, prices.get(outlet)) for outlet, index in quantities.items())


def _by_outlet(header: Sequence[str], patterns: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, name in enumerate(header):
        text = unicodedata.normalize("NFC", name).strip()
        for pattern in patterns:
            match = re.fullmatch(pattern, text, re.IGNORECASE)
            if match:
                outlet = match["o"].strip()
                if outlet in found:
                    raise _ambiguous(f"quantity of outlet {outlet}", [header[found[outlet]], name])
                found[outlet] = index
                break
    return found


def _position(name: str, keys: list[str]) -> int | None:
    return keys.index(header_key(name)) if name and header_key(name) in keys else None


def _ambiguous(role: str, names: Sequence[str]) -> ConfigError:
    return ConfigError(
        f"{len(names)} columns could hold the {role}: {_listed(names)}. Which one counts is not for us to guess.",
        next_step=f'Name it in the setting columns, for instance {{"{role.split(" ", maxsplit=1)[0]}": "{names[0]}"}}.',
        code="ambiguous_columns",
    )


def _absent(what: str, header: Sequence[str], settings: PosCsvSettings) -> FileRefusedError:
    role = what.lower()
    better = presets_that_fit(header, settings) if settings.preset == "generic" else []
    if better:
        step = f"This looks like an export of {' or '.join(better)}: set preset to {better[0]}."
    else:
        step = f'Name it in the setting columns, for instance {{"{role}": "…"}}; or drop the right list again.'
    message = f"No column of the file is the {what}. {_it_has(header, settings)}"
    return FileRefusedError(message, code="header", next_step=step)


def presets_that_fit(header: Sequence[str], settings: PosCsvSettings) -> list[str]:
    """Result: the presets, other than generic, that would find their columns in this header."""
    return [name for name in PRESETS if name != "generic" and resolves(header, settings.model_copy(update={"preset": name}))]


def first_header_line(lines: Sequence[Sequence[str]], fits: Callable[[Sequence[str]], bool]) -> int | None:
    """Result: how many lines stand above the first one that would do as a header, or None."""
    return next((index for index, cells in enumerate(lines) if fits(cells)), None)


def _it_has(header: Sequence[str], settings: PosCsvSettings) -> str:
    """Result: its column names, in words. A line in which none is known may be anything, a key for instance, and isn't quoted."""
    if _knows_one(header, settings):
        return f"It has: {_listed(header)}."
    return (
        "None of its column names is known, so they are not shown here: it may be no stock list. "
        "A sample under Set-up shows them."
    )


def _knows_one(header: Sequence[str], settings: PosCsvSettings) -> bool:
    """Result: is there a column name that tills use, or that the shop has set?"""
    known = KNOWN_NAMES | {header_key(name) for name in settings.columns.values() if name}
    return any(header_key(name) in known for name in header)


def _listed(names: Sequence[str]) -> str:
    shown = [f"“{name.strip()[:40]}”" for name in names[:25]]
    return ", ".join(shown) + (f" and {len(names) - 25} more" if len(names) > 25 else "")
