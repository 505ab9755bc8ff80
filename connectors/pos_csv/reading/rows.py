"""Rows that speak of one item: merged where they agree, left out where nobody can tell which is right (pos_csv.md)."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from connectors.contract import RowProblem, TillReading
from connectors.pos_csv.reading.problems import note
from kit.sku import sku_spelling

DuplicatePolicy = Literal["conflict", "sum", "last"]
_KEPT = "Its last known number stays until the file is clear."


class Rows:
    """Collects readings row by row, then settles what was said twice."""

    def __init__(self, policy: DuplicatePolicy) -> None:
        self._policy = policy
        self._readings: list[TillReading] = []
        self._slots: dict[tuple[str, str], int] = {}
        self._again: dict[int, list[TillReading]] = {}
        self._spelling: dict[str, str] = {}
        self._respelled: dict[str, list[TillReading]] = {}
        self._unreadable: dict[tuple[str, str], list[int]] = {}

    def add(self, reading: TillReading) -> None:
        spelled = self._spelling.setdefault(sku_spelling(reading.sku), reading.sku)
        if spelled != reading.sku:
            self._respelled.setdefault(sku_spelling(reading.sku), []).append(reading)
            return
        slot = self._slots.setdefault((reading.sku, reading.location), len(self._readings))
        if slot == len(self._readings):
            self._readings.append(reading)
        else:
            self._again.setdefault(slot, []).append(reading)

    def add_unreadable(self, sku: str, location: str, line: int) -> None:
        """A row whose quantity could not be read; another row of the same item is then no more to be trusted."""
        self._unreadable.setdefault((sku, location), []).append(line)

    def knows(self, sku: str) -> bool:
        return sku_spelling(sku) in self._spelling

    def settle(self) -> tuple[list[TillReading], list[RowProblem]]:
        """Result: one reading per SKU and outlet, in the file's order, and what had to be said about the rest."""
        problems: list[RowProblem] = []
        dropped = self._settle_spellings(problems)
        for slot, others in self._again.items():
            if slot not in dropped:
                self._settle_slot(slot, others, dropped, problems)
        for key, lines in self._unreadable.items():
            slot = self._slots.get(key, -1)
            if slot >= 0 and slot not in dropped:
                dropped.add(slot)
                reading = self._readings[slot]
                problems.append(
                    _conflict(reading, f"Line {_lines(lines)} is about the same SKU and its quantity can't be read. {_KEPT}")
                )
        if not dropped:
            return self._readings, problems
        return [reading for slot, reading in enumerate(self._readings) if slot not in dropped], problems

    def _settle_spellings(self, problems: list[RowProblem]) -> set[int]:
        """Two spellings of one SKU that differ only in case, width or spaces: one item or two? Not for us to guess."""
        if not self._respelled:
            return set()
        dropped: set[int] = set()
        firsts: dict[str, list[TillReading]] = {}
        for slot, reading in enumerate(self._readings):
            key = sku_spelling(reading.sku)
            if key in self._respelled:
                dropped.add(slot)
                firsts.setdefault(key, []).extend([reading, *self._again.get(slot, ())])
        for key, readings in self._respelled.items():
            everyone = sorted([*firsts.get(key, []), *readings], key=lambda each: each.line)
            for one in everyone:
                others = [other for other in everyone if other.sku != one.sku]
                spelled = " and ".join(dict.fromkeys(f"“{other.sku}”" for other in others))
                message = (
                    f"SKU “{one.sku}” differs only in case, width or spaces from {spelled} on line "
                    f"{_lines(o.line for o in others)}. One item or two? Neither row is used. {_KEPT}"
                )
                problems.append(
                    RowProblem(one.line, one.sku, "sku_spelling", message, "Correct the SKU at the till, or delete one item.")
                )
        return dropped

    def _settle_slot(self, slot: int, others: list[TillReading], dropped: set[int], problems: list[RowProblem]) -> None:
        first = self._readings[slot]
        everyone = [first, *others]
        quantities = {reading.on_hand for reading in everyone}
        if self._policy == "last":
            self._readings[slot] = others[-1]
        elif self._policy == "sum" and None not in quantities:
            total = sum((reading.on_hand for reading in everyone if reading.on_hand is not None), Decimal(0))
            self._readings[slot] = replace(_merged(everyone), on_hand=total)
        elif len(quantities) == 1 and self._policy == "conflict":
            self._readings[slot] = _merged(everyone)
            problems.extend(_merge_notes(everyone))
        else:
            dropped.add(slot)
            said = ", ".join(f"{_spoken(reading.on_hand)} (line {reading.line})" for reading in everyone)
            problems.extend(
                _conflict(one, f"The file says two things about it: {said}. Neither can be trusted. {_KEPT}") for one in everyone
            )


def _merged(everyone: list[TillReading]) -> TillReading:
    """The first row, without the price or cost on which the rows differ."""
    first = everyone[0]
    price = first.price if all(other.price == first.price for other in everyone) else None
    cost = first.cost if all(other.cost == first.cost for other in everyone) else None
    return first if (price, cost) == (first.price, first.cost) else replace(first, price=price, cost=cost)


def _merge_notes(everyone: list[TillReading]) -> Iterable[RowProblem]:
    first = everyone[0]
    same_money = all((other.price, other.cost) == (first.price, first.cost) for other in everyone)
    for other in everyone[1:]:
        if same_money:
            text = f"Line {other.line} says the same as line {first.line}; taken once."
            yield note(other.line, other.sku, "duplicate_merged", text)
        else:
            text = (
                f"Lines {first.line} and {other.line} agree on the quantity, which is used, but not on price or cost, "
                "which stay as they were."
            )
            yield RowProblem(other.line, other.sku, "bad_price", text, "Keep one row for the item at the till.")


def _conflict(reading: TillReading, text: str) -> RowProblem:
    where = f" at {reading.location}" if reading.location else ""
    return RowProblem(
        reading.line,
        reading.sku,
        "duplicate_conflict",
        f"SKU “{reading.sku}”{where} is in the file twice. {text}",
        "Keep one row for the item at the till; where rows are lots or bins of one item, set duplicates to sum.",
    )


def _lines(lines: Iterable[int]) -> str:
    return " and ".join(str(line) for line in dict.fromkeys(lines))


def _spoken(on_hand: Decimal | None) -> str:
    return "not counted" if on_hand is None else f"{on_hand:f}"
