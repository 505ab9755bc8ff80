"""One item and one listing, compared: every kind of evidence as a small level, which the weights turn into odds. Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log

from rapidfuzz import fuzz

from alignment.matching.parts.sizes import Agreement, size_agreement
from alignment.matching.parts.things import Cut
from alignment.matching.parts.words import NEARLY, SKELETON, has_digit, joined, likeness
from alignment.matching.weighing.levels import (
    NO_NAME,
    NOTHING_SHARED_IN_NO_NAME,
    PRICE_STEPS,
    SHARED_STEPS,
    UNSAID_STEPS,
    Barcode,
    Brand,
    Category,
    Numbers,
    Price,
    Sku,
)

_TELLING_NUMBER = 3  # digits: a shorter one stands in a SKU by chance
_COMMON_SHARE = 0.0067  # a word on so many of a catalogue's things, or fewer, counts fully


@dataclass(frozen=True, slots=True)
class WordsCompared:
    """`item_only`, `listing_only`: what one side says and the other doesn't, weighed; the words themselves beside it."""

    shared: float
    item_only: float
    listing_only: float
    item_words: tuple[str, ...]
    listing_words: tuple[str, ...]


@dataclass(slots=True)
class Habits:
    """What these two catalogues do, learned from their surest pairs. Empty at first.

    `item_keeps`, `listing_keeps`: how much it means that the other side doesn't say a word (0.2 to 1.2): little for a brand that
    the till mostly leaves out. `aliases`: words of the till for words of the shop. `categories`: pairs of categories seen."""

    item_keeps: dict[str, float] = field(default_factory=dict)
    listing_keeps: dict[str, float] = field(default_factory=dict)
    aliases: dict[str, frozenset[str]] = field(default_factory=dict)
    categories: Counter[tuple[str, str]] = field(default_factory=Counter)
    category_totals: Counter[str] = field(default_factory=Counter)


class Comparer:
    """Compares items with listings of the same two catalogues, of which it knows what is common there."""

    def __init__(self, items: Sequence[Cut], listings: Sequence[Cut]) -> None:
        self.items, self.listings = items, listings
        self.habits = Habits()
        self._item_words = _frequencies(items)
        self._listing_words = _frequencies(listings)
        self._weights: dict[str, float] = {}
        # In a catalogue of a few things no word is common yet.
        self._total = max(len(items), len(listings)) + 150
        self._item_codes = Counter(key for cut in items for key in set(cut.barcodes))
        self._listing_codes = Counter(key for cut in listings for key in set(cut.barcodes))
        self._item_unchecked = Counter(cut.unchecked for cut in items if cut.unchecked)
        self._listing_unchecked = Counter(cut.unchecked for cut in listings if cut.unchecked)
        self._item_skus = Counter(cut.sku_key for cut in items if cut.sku_key)
        self._listing_skus = Counter(cut.sku_key for cut in listings if cut.sku_key)
        self._brands = {tuple(cut.brand_words) for cut in items if cut.brand_words}
        self._brands_by_word: dict[str, list[tuple[str, ...]]] = {}
        for brand in sorted(self._brands):
            rarest = min(brand, key=lambda word: (self._listing_words[word], word))
            self._brands_by_word.setdefault(rarest, []).append(brand)

    def levels(self, item: Cut, listing: Cut) -> tuple[int, ...]:
        """Result: one level for each of NOTED."""
        size, numbers = size_agreement(item, listing), self.numbers(item, listing)
        name, shared = self.name(item, listing, size, numbers)
        return (
            self.barcode(item, listing),
            self.sku(item, listing),
            name,
            shared,
            self.brand(item, listing),
            self.category(item, listing),
            self.price(item, listing),
            size,
            numbers,
        )

    def name(self, item: Cut, listing: Cut, size: int, numbers: int) -> tuple[int, int]:
        """Result: the levels of `name` and `shared`."""
        if not item.words or not listing.words:
            return NO_NAME, NOTHING_SHARED_IN_NO_NAME
        words = self.words(item, listing)
        return name_level(words, size, numbers), bisect_right(SHARED_STEPS, words.shared)

    # -- codes -----------------------------------------------------------------------------------------------------

    def barcode(self, item: Cut, listing: Cut) -> Barcode:
        for key in item.barcodes:
            if key in listing.barcodes:
                alone = self._item_codes[key] == 1 and self._listing_codes[key] == 1
                return Barcode.SAME if alone else Barcode.SAME_SHARED
        if item.unchecked and item.unchecked == listing.unchecked:
            alone = self._item_unchecked[item.unchecked] == 1 and self._listing_unchecked[item.unchecked] == 1
            return Barcode.SAME_UNCHECKED if alone else Barcode.SAME_SHARED
        elsewhere = any(key in self._listing_codes for key in item.own_barcodes)
        elsewhere = elsewhere or any(key in self._item_codes for key in listing.own_barcodes)
        if elsewhere:
            return Barcode.ELSEWHERE
        return Barcode.DIFFERS if item.own_barcodes and listing.own_barcodes else Barcode.UNKNOWN

    def sku(self, item: Cut, listing: Cut) -> Sku:
        ours, theirs = item.compact_sku, listing.compact_sku
        if not ours or not theirs:
            return Sku.UNKNOWN
        numeric = ours.isdigit(), theirs.isdigit()
        if item.sku_key == listing.sku_key:
            if self._item_skus[item.sku_key] > 1 or self._listing_skus[item.sku_key] > 1:
                return Sku.SAME_SHARED
            return Sku.SAME_SHORT if _is_short(ours) else Sku.SAME
        if not _is_short(ours) and item.sku_key in self._listing_skus:
            return Sku.ELSEWHERE
        if not _is_short(theirs) and listing.sku_key in self._item_skus:
            return Sku.ELSEWHERE
        if all(numeric):
            # An ISBN with dashes, and without.
            return Sku.SAME if ours == theirs and not _is_short(ours) else Sku.BOTH_NUMBERS
        if any(numeric):
            return Sku.OTHER_KIND
        return _sku_likeness(item, listing)

    # -- words -----------------------------------------------------------------------------------------------------

    def weight(self, word: str) -> float:
        """Result: how much a word distinguishes, 0.15 to 1: by how many things of either catalogue say it."""
        known = self._weights.get(word)
        if known is None:
            share = max(self._item_words[word], self._listing_words[word], 1) / self._total
            known = self._weights[word] = min(1.0, max(0.15, log(1 / share) / log(1 / _COMMON_SHARE)))
            if has_digit(word):
                known = self._weights[word] = max(known, 0.8)  # a model or type
        return known

    def words(self, item: Cut, listing: Cut) -> WordsCompared:
        ours, theirs = item.words, listing.words
        there, here = set(theirs), set(ours)
        left_item = [word for word in ours if word not in there]
        left_listing = [word for word in theirs if word not in here]
        shared = sum(self.weight(word) for word in ours if word in there)
        if left_item and left_listing:
            left_item, left_listing, more = self._joined(item, listing, left_item, left_listing)
            shared += more
        said_item = dict.fromkeys(left_item, 0.0)
        said_listing = dict.fromkeys(left_listing, 0.0)
        if said_item and said_listing:
            shared += self._alike(said_item, said_listing)
        for word, said in said_item.items():
            if said < 0.9:
                said_item[word] = max(said, _said_by(word, listing.extra_words))
        for word, said in said_listing.items():
            if said < 0.9:
                said_listing[word] = max(said, _said_by(word, item.extra_words))
        keeps_item, keeps_listing = self.habits.item_keeps, self.habits.listing_keeps
        item_only = sum(_unsaid(said) * self.weight(word) * keeps_item.get(word, 1.0) for word, said in said_item.items())
        listing_only = sum(
            _unsaid(said) * self.weight(word) * keeps_listing.get(word, 1.0) for word, said in said_listing.items()
        )
        return WordsCompared(
            shared,
            item_only,
            listing_only,
            tuple(word for word, said in said_item.items() if said < 0.5),
            tuple(word for word, said in said_listing.items() if said < 0.5),
        )

    def _joined(
        self, item: Cut, listing: Cut, left_item: list[str], left_listing: list[str]
    ) -> tuple[list[str], list[str], float]:
        shared = 0.0
        for word in list(left_item):
            parts = joined(tuple(listing.words)).get(word)
            if parts and all(part in left_listing for part in parts):
                shared += max(self.weight(word), *map(self.weight, parts))
                left_item = [other for other in left_item if other != word]
                left_listing = [other for other in left_listing if other not in parts]
        for word in list(left_listing):
            parts = joined(tuple(item.words)).get(word)
            if parts and all(part in left_item for part in parts):
                shared += max(self.weight(word), *map(self.weight, parts))
                left_listing = [other for other in left_listing if other != word]
                left_item = [other for other in left_item if other not in parts]
        return left_item, left_listing, shared

    def _alike(self, said_item: dict[str, float], said_listing: dict[str, float]) -> float:
        """Pair the words left over, the most alike first. Result: the weight they share."""
        pairs = [
            (-degree, ours, theirs)
            for ours in said_item
            for theirs in said_listing
            if (degree := self._likeness(ours, theirs)) > 0
        ]
        pairs.sort()
        shared = 0.0
        for degree, ours, theirs in pairs:
            if said_item[ours] or said_listing[theirs]:
                continue
            said_item[ours] = said_listing[theirs] = -degree
            shared += -degree * max(self.weight(ours), self.weight(theirs))
        return shared

    def _likeness(self, ours: str, theirs: str) -> float:
        if theirs in self.habits.aliases.get(ours, ()):
            return 0.95
        degree = likeness(ours, theirs)
        # Words that both catalogues use side by side are two words: `blank` is no misspelt `black` where both are sold.
        if degree and degree <= NEARLY and theirs in self._item_words and ours in self._listing_words:
            return degree * 0.5 if degree in (NEARLY, SKELETON) else degree * 0.8
        return degree

    def numbers(self, item: Cut, listing: Cut) -> Numbers:
        ours, theirs = set(item.numbers), set(listing.numbers)
        if not ours and not theirs:
            return Numbers.NONE
        more_ours = {number for number in ours - theirs if not _number_known(number, listing)}
        more_theirs = {number for number in theirs - ours if not _number_known(number, item)}
        if more_ours and more_theirs:
            return Numbers.DIFFER
        if more_ours:
            return Numbers.ITEM_HAS_MORE
        return Numbers.LISTING_HAS_MORE if more_theirs else Numbers.SAME

    # -- what is weak ------------------------------------------------------------------------------------------------

    def brand(self, item: Cut, listing: Cut) -> Brand:
        if not item.brand_words:
            return Brand.UNKNOWN
        said = {*listing.words, *listing.brand_words}
        found = sum(
            word in said
            or word in joined(tuple(listing.words))
            or any(other[0] == word[0] and likeness(word, other) >= NEARLY for other in said)
            for word in item.brand_words
        )
        if found == len(item.brand_words) or "".join(item.brand_words) in said:
            return Brand.SAME
        mine = tuple(item.brand_words)
        for word in listing.words:
            for brand in self._brands_by_word.get(word, ()):
                if brand != mine and all(part in said for part in brand):
                    return Brand.OTHER
        return Brand.PARTLY if found else Brand.NOT_SAID

    def category(self, item: Cut, listing: Cut) -> Category:
        ours, theirs = item.thing.category, listing.thing.category
        if not ours or not theirs:
            return Category.UNKNOWN
        if item.category_words & listing.category_words:
            return Category.SAME
        total = self.habits.category_totals[ours]
        if total < 5:
            return Category.UNSEEN
        return Category.SAME if self.habits.categories[ours, theirs] >= 0.05 * total else Category.SELDOM

    def price(self, item: Cut, listing: Cut) -> Price:
        if item.price <= 0 or listing.price <= 0:
            return Price.UNKNOWN
        return Price(1 + bisect_right(PRICE_STEPS, abs(log(item.price / listing.price))))


def _is_short(sku: str) -> bool:
    return len(sku) < 4 or (len(sku) < 8 and sku.isdigit())


def name_level(words: WordsCompared, size: int, numbers: int) -> int:
    """Result: what the item alone says, what the listing alone says, and whether sizes and numbers agree, as one level: a name
    that agrees in all of it is far rarer by chance than each part."""
    if size >= Agreement.PACK_DIFFERS or numbers == Numbers.DIFFER:
        amounts = 2
    else:
        one_sided = size in (Agreement.ONE_SIDED, Agreement.PACK_ONE_SIDED, Agreement.OTHER_KIND)
        amounts = int(one_sided or numbers in (Numbers.ITEM_HAS_MORE, Numbers.LISTING_HAS_MORE))
    steps = len(UNSAID_STEPS) + 1
    unsaid = bisect_right(UNSAID_STEPS, words.item_only), bisect_right(UNSAID_STEPS, words.listing_only)
    return (amounts * steps + unsaid[0]) * steps + unsaid[1]


def _sku_likeness(item: Cut, listing: Cut) -> Sku:
    ours, theirs = item.compact_sku, listing.compact_sku
    alike = fuzz.ratio(ours, theirs)
    if alike < 92 and min(len(ours), len(theirs)) >= 6:
        alike = max(alike, 0.95 * fuzz.partial_ratio(ours, theirs))
    if alike >= 70 and item.sku_numbers - listing.sku_numbers and listing.sku_numbers - item.sku_numbers:
        return Sku.OTHER_NUMBERS
    if alike >= 92:
        return Sku.NEAR_SAME
    if alike >= 80:
        return Sku.NEAR
    return Sku.ALIKE if alike >= 60 else Sku.UNLIKE


def _unsaid(said: float) -> float:
    """Result: how much of a word the other side leaves unsaid. A shortened word is doubted on both sides: half on each."""
    return (1 - said) * (0.5 if said >= SKELETON else 1.0)


def _said_by(word: str, words: Iterable[str]) -> float:
    """Result: how surely brand or SKU say the word."""
    best = 0.0
    for other in words:
        if other == word:
            return 1.0
        if other[0] == word[0] and len(other) > 2:
            best = max(best, likeness(word, other))
    return best


def _number_known(number: str, other: Cut) -> bool:
    return (
        (len(number) >= _TELLING_NUMBER and number in other.sku_numbers)
        or number == str(other.pack)
        or any(f"{measure.number:g}" == number for measure in other.measures)
    )


def _frequencies(cuts: Sequence[Cut]) -> Counter[str]:
    return Counter(word for cut in cuts for word in {*cut.words})
