"""An item or a listing, as far as matching needs it, and the same cut up for comparing. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from sys import intern

from alignment.matching.parts.codes import barcode_keys, is_unchecked_code, unchecked_key
from alignment.matching.parts.units import WEAR
from alignment.matching.parts.words import folded, words_of
from alignment.matching.weighing.measures import Measure, sized, values_of, word_measure
from kit.sku import sku_key

_SKU_WORD = re.compile(r"[^\W\d_]+")
_LETTER_SIZE = re.compile(r"\b(?:x{1,4}[sl]|[2-5]xl)\b", re.IGNORECASE)
_SELDOM = 0.005
_SKU_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Thing:
    """One item of the till or one listing of the store. `key` is the caller's; a variation's name begins with its parent's."""

    key: int
    sku: str
    name: str = ""
    barcode: str = ""
    brand: str = ""
    category: str = ""
    price: Decimal | None = None


class Cut:
    """A Thing cut up once, for being compared many times."""

    __slots__ = (
        "barcodes", "brand_words", "category_words", "compact_sku", "extra_words", "measures", "numbers", "own_barcodes",
        "pack", "price", "sku_key", "sku_measures", "sku_numbers", "thing", "unchecked", "values", "words",
    )  # fmt: skip

    def __init__(self, thing: Thing, *, letters_are_sizes: bool = False) -> None:
        self.thing = thing
        self._cut_name(thing.name, letters_are_sizes=letters_are_sizes)
        self._cut_sku(thing.sku, letters_are_sizes=letters_are_sizes)
        self.brand_words, _ = words_of(thing.brand)
        self.category_words = frozenset(words_of(thing.category)[0])
        self.extra_words = frozenset(self.brand_words) | frozenset(_SKU_WORD.findall(self.sku_key_spaced(thing.sku)))
        self.own_barcodes = barcode_keys(thing.barcode)
        # A shop that uses the barcode as its SKU says the same with it.
        from_sku = barcode_keys(thing.sku) if len(self.compact_sku) >= 10 else ()
        self.barcodes = (*self.own_barcodes, *(key for key in from_sku if key not in self.own_barcodes))
        self.unchecked = unchecked_key(thing.barcode) if is_unchecked_code(thing.barcode) else ""
        self.price = float(thing.price) if thing.price else 0.0

    def _cut_name(self, name: str, *, letters_are_sizes: bool) -> None:
        cut = sized(name)
        words, self.numbers = words_of(cut.rest)
        found: list[Measure] = list(cut.measures)
        self.words: list[str] = []
        for word in words:
            measure = word_measure(word, letters_are_sizes=letters_are_sizes)
            if measure is None:
                self.words.append(intern(word))
            else:
                found.append(measure)
        self.measures, self.pack = tuple(found), cut.pack
        self.values = values_of(self.measures)

    def _cut_sku(self, sku: str, *, letters_are_sizes: bool) -> None:
        self.sku_key = sku_key(sku)
        self.compact_sku = self.sku_key.replace(".", "")
        spaced = self.sku_key_spaced(sku)
        self.sku_numbers = frozenset(f"{float(number):g}" for number in _SKU_NUMBER.findall(self.sku_key) if len(number) < 9)
        # What the name leaves out, the SKU may say: weaker, as its numbers may mean anything.
        self.sku_measures = sized(re.sub(r"(?<=\d) (?=\d)", ".", spaced)).measures if not self.measures else ()
        if letters_are_sizes and WEAR not in self.values:
            said = (word_measure(word, letters_are_sizes=True) for word in spaced.split())
            self.sku_measures += tuple(measure for measure in said if measure and measure.dimension == WEAR)

    @staticmethod
    def sku_key_spaced(sku: str) -> str:
        return re.sub(r"[\W_]+", " ", folded(sku))


def cut_both(items: Sequence[Thing], listings: Sequence[Thing]) -> tuple[list[Cut], list[Cut]]:
    """Result: both catalogues cut up, in order."""
    sized_by_letters = sum(bool(_LETTER_SIZE.search(thing.name)) for things in (items, listings) for thing in things)
    letters_are_sizes = sized_by_letters > _SELDOM * (len(items) + len(listings))
    ours, theirs = ([Cut(thing, letters_are_sizes=letters_are_sizes) for thing in things] for things in (items, listings))
    return ours, theirs


def variation_name(parent: str, own: str, options: Sequence[str] = ()) -> str:
    """Result: a variation's whole name: its parent's, its own unless that repeats the parent's, and the options that neither
    says."""
    whole = own if not parent or _plain(own).startswith(_plain(parent)) else f"{parent} {own}"
    said = _plain(whole)
    return " ".join([whole.strip(), *(option for option in options if option and _plain(option) not in said)]).strip()


@lru_cache(maxsize=10_000)
def _plain(text: str) -> str:
    return re.sub(r"\W+", "", folded(text))
