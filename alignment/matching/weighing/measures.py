"""Sizes in names: `2.5 gal`, `6 x 330 ml`, `12-pack`, `½"`, `10x20 cm`, `XL`, `paperback`. What is parsed is cut out of the name,
so that the words that stay are words. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum

from alignment.matching.parts.units import BINDING, BINDINGS, COUNT, DIMENSIONS, LENGTH, MASS, UNITS, VOLUME, WEAR, WEAR_SIZES

TOLERANCE = 0.021  # 12 fl oz is sold as 355 ml, 1 gal as 3.8 l; 1 qt and 1 l differ by 5 %
_OZ, _FLUID_OZ = 28.3495, 29.5735

_VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8"}
_NUMBER = r"(?:\d+[ -]\d+/\d+|\d+/\d+|\d+(?:[.,]\d+)*|[.,]\d+)"
_UNIT = "|".join(sorted((re.escape(unit) for unit in UNITS if unit != "er"), key=len, reverse=True))
_END = r"(?![^\W\d_])(?!/\d)"  # no letter may follow
_START = r"(?<![\w.,/])"
_MULTI = re.compile(rf"{_START}(?P<n>\d{{1,3}})\s?[x×*]\s?(?P<v>{_NUMBER})[\s-]?(?P<u>{_UNIT}){_END}")
_MULTI_AFTER = re.compile(rf"{_START}(?P<v>{_NUMBER})[\s-]?(?P<u>{_UNIT})\s?[x×*]\s?(?P<n>\d{{1,3}})(?!\w)")
_BY = r"\s?[x×]\s?"
_PLAIN = r"\d+(?:[.,]\d+)?"
_DIMENSIONS = re.compile(
    rf"{_START}({_PLAIN})\s?(?:{_UNIT})?{_BY}({_PLAIN})(?:\s?(?:{_UNIT})?{_BY}({_PLAIN}))?"
    r"\s?(?P<u>mm|cm|m|in|inch|inches|ft|zoll|\"|')?(?![\w.,])"
)
_MEASURE = re.compile(rf"{_START}(?P<v>{_NUMBER})(?P<gap>[\s-]?)(?P<u>{_UNIT}){_END}")
_GERMAN_COUNT = re.compile(rf"{_START}(?P<n>\d{{1,3}})\s?-?er{_END}")
_TIMES = re.compile(r"(?<![\w.,])(?:(?P<n>\d{1,3})\s?[x×]|[x×]\s?(?P<m>\d{1,3}))(?![\w.,])")
_PACK_OF = re.compile(r"\b(?:pack|set|box|case|bundle|lot|paquete)\s+(?:of|de|à|a)\s+(?P<n>\d{1,3})\b")
_PACK_NAMED = re.compile(r"\b(?:(?P<n>\d{1,2})\s)?(?:dozen|dutzend|doz|docena|douzaine)\b")
_SIZE_WORD = re.compile(
    r"\b(?:size|gr|grösse|groesse|taglia|talla|taille|eu)\.?\s?"
    r"(?P<v>\d{1,3}(?:[.,]5)?|[xX]{0,4}[sSlL]|[mM])(?![\w.,]|\s?(?:g|ml)\b)"
)
_FOREIGN = re.compile(r"\b(?:fl\.?\s?oz|fluid\s?oz)\b\.?")
_CUBIC = re.compile(r"\b(?:cu\.?\s?ft|cubic\s(?:feet|foot)|ft³)(?!\w)\.?")
_SQUARE = re.compile(r"\bsq\.?\s?ft\b\.?")


class Agreement(IntEnum):
    """What two sizes say of each other. SAME_NUMBER: one side gives the number without its unit. OTHER_KIND: both say one, in
    nothing that can be compared: volts and feet."""

    NOTHING = 0
    SAME = 1
    SAME_NUMBER = 2
    ONE_SIDED = 3
    PACK_ONE_SIDED = 4
    OTHER_KIND = 5
    PACK_DIFFERS = 6
    DIFFERS = 7


@dataclass(frozen=True, slots=True)
class Measure:
    """One size. `value` is in the dimension's base unit; `number` as written; `text` for people."""

    dimension: str
    value: float | str
    number: float
    text: str


@dataclass(frozen=True, slots=True)
class Sized:
    """A text cut up: its sizes, how many are in the pack (0: not said), and what is left of the text."""

    measures: tuple[Measure, ...]
    pack: int
    rest: str


def sized(text: str) -> Sized:
    """Result: the sizes in a name, and the name without them. Idempotent on what is left."""
    for vulgar, plain in _VULGAR.items():
        text = text.replace(vulgar, f" {plain}")
    text = unicodedata.normalize("NFKC", text).casefold().replace("”", '"').replace("″", '"').replace("''", '"')
    text = _SQUARE.sub("sqft", _CUBIC.sub("cuft", _FOREIGN.sub("floz", text)))
    return _Cut(text).result()


class _Cut:
    """Cuts one text: each pattern takes out what it understands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Measure] = []
        self.pack = 0

    def result(self) -> Sized:
        self.text = _DIMENSIONS.sub(self._dimensions, self.text)
        self.text = _MULTI.sub(self._multi, self.text)
        self.text = _MULTI_AFTER.sub(self._multi, self.text)
        self.text = _PACK_OF.sub(self._counted, self.text)
        self.text = _MEASURE.sub(self._measure, self.text)
        self.text = _PACK_NAMED.sub(self._dozen, self.text)
        self.text = _GERMAN_COUNT.sub(self._counted, self.text)
        self.text = _TIMES.sub(self._counted, self.text)
        self.text = _SIZE_WORD.sub(self._size_word, self.text)
        return Sized(tuple(self.found), self.pack, self.text)

    def _dimensions(self, match: re.Match[str]) -> str:
        unit = match["u"]
        if unit is None and re.match(rf"\s?(?:{_UNIT}){_END}", self.text[match.end() :]):
            return match[0]  # 6 x 330 ml
        numbers = [_number(part, "") for part in match.groups()[:3] if part]
        if unit is None and re.search(rf"\d\s?(?:{_UNIT})\s?[x×]", match[0]):
            return match[0]  # 330 ml x 6
        shown = "x".join(f"{number:g}" for number in numbers)
        self.found.append(Measure(DIMENSIONS, shown, numbers[0], match[0].strip()))
        return " "

    def _multi(self, match: re.Match[str]) -> str:
        self._take_pack(int(match["n"]))
        self._take(match["v"], match["u"], f"{match['v']} {match['u']}")
        return " "

    def _measure(self, match: re.Match[str]) -> str:
        after = self.text[match.end() :]
        if match["u"] == "in" and match["gap"] and re.match(r"\s*(?:\d|one\b|a\b)", after):
            return match[0]  # 2 in 1
        if match["u"] in "\"'" and match["gap"]:
            return match[0]
        self._take(match["v"], match["u"], match[0])
        return " "

    def _take(self, number: str, unit: str, shown: str) -> None:
        dimension, factor = UNITS[unit]
        value = _number(number, unit)
        if dimension == COUNT:
            if value == int(value) and value:
                self._take_pack(int(value))
            return
        self.found.append(Measure(dimension, value * factor, value, shown.strip()))

    def _counted(self, match: re.Match[str]) -> str:
        count = match["n"] or match.groupdict().get("m") or "0"
        self._take_pack(int(count))
        return " "

    def _dozen(self, match: re.Match[str]) -> str:
        self._take_pack(12 * int(match["n"] or 1))
        return " "

    def _take_pack(self, count: int) -> None:
        self.pack = (self.pack or 1) * count if count else self.pack

    def _size_word(self, match: re.Match[str]) -> str:
        said = match["v"].replace(",", ".")
        number = float(said) if said[0].isdigit() else 0.0
        self.found.append(Measure(WEAR, WEAR_SIZES.get(said, said), number, match[0].strip()))
        return " "


def word_measure(word: str, *, letters_are_sizes: bool) -> Measure | None:
    """Result: the size that a single word of a name stands for: `xl`, `paperback`; None for any other word. `s`, `m` and `l` are
    sizes only where a catalogue sells things by such sizes: elsewhere they are initials."""
    if word in WEAR_SIZES and (len(word) > 1 or letters_are_sizes):
        return Measure(WEAR, WEAR_SIZES[word], 0.0, word.upper())
    if word in BINDINGS:
        return Measure(BINDING, BINDINGS[word], 0.0, BINDINGS[word])
    return None


def _number(text: str, unit: str) -> float:
    text = text.replace("-", " ")
    if "/" in text:
        whole, _, fraction = text.rpartition(" ")
        top, bottom = fraction.split("/")
        return (float(whole) if whole else 0.0) + (float(top) / float(bottom) if float(bottom) else 0.0)
    marks = [mark for mark in text if mark in ".,"]
    if len(marks) > 1:  # 1.234,5
        last = marks[-1]
        parts = text.rpartition(last)
        head = re.sub(r"[.,]", "", parts[0])
        is_thousands = len(set(marks)) == 1 and len(parts[2]) == 3
        return float(head + parts[2]) if is_thousands else float(f"{head}.{parts[2]}")
    # 1,000 ml is a litre, and so is 1,000 l: nobody weighs soap to a thousandth of a gram.
    if marks and len(text.partition(marks[0])[2]) == 3 and unit in _SMALL and not text.startswith(("0", ".", ",")):
        return float(text.replace(marks[0], ""))
    return float(text.replace(",", "."))


_SMALL = frozenset(unit for unit, (dimension, factor) in UNITS.items() if dimension in (VOLUME, MASS, LENGTH) and factor <= 1)


def close(one: float | str, other: float | str) -> bool:
    """Result: two values are the same size, but for rounding between unit systems."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other))


def values_of(measures: tuple[Measure, ...]) -> dict[str, list[float | str]]:
    """Result: values by dimension."""
    found: dict[str, list[float | str]] = {}
    for measure in measures:
        found.setdefault(measure.dimension, []).append(measure.value)
    return found


def fluid(values: dict[str, list[float | str]]) -> list[float | str]:
    """Result: ounces of mass as fluid ounces: names say `12 oz` of either."""
    return [value / _OZ * _FLUID_OZ for value in values.get(MASS, ()) if isinstance(value, float)]


__all__ = ["DIMENSIONS", "LENGTH", "Agreement", "Measure", "Sized", "close", "fluid", "sized", "values_of", "word_measure"]
