"""What two catalogues do, learned from the pairs that are true by all likelihood. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from alignment.matching.pairs import Pairs
from alignment.matching.weighing.compare import Habits

_LEAST, _MOST = 0.2, 1.2
_ALIAS_SEEN = 4  # a word stands for another one when so many pairs say so,
_ALIAS_OURS, _ALIAS_THEIRS = 0.6, 0.3  # and so large a part of those where the other side leaves the word out


def habits_learned(pairs: Pairs, likely: Iterable[int]) -> Habits:
    """Result: how often each side leaves a word unsaid, which words stand for which, and which categories meet."""
    item_said: Counter[str] = Counter()
    item_alone: Counter[str] = Counter()
    listing_said: Counter[str] = Counter()
    listing_alone: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    habits = Habits()
    for pair in likely:
        item, listing = pairs.cuts(pair)
        words = pairs.comparer.words(item, listing)
        item_said.update(item.words)
        listing_said.update(listing.words)
        item_alone.update(words.item_words)
        listing_alone.update(words.listing_words)
        if len(words.item_words) <= 3 and len(words.listing_words) <= 3:
            together.update((one, other) for one in words.item_words for other in words.listing_words)
        if item.thing.category and listing.thing.category:
            habits.categories[item.thing.category, listing.thing.category] += 1
            habits.category_totals[item.thing.category] += 1
    habits.item_keeps = _keeps(item_said, item_alone)
    habits.listing_keeps = _keeps(listing_said, listing_alone)
    aliases: dict[str, set[str]] = defaultdict(set)
    for (one, other), count in together.items():
        if count >= _ALIAS_SEEN and count >= _ALIAS_OURS * item_alone[one] and count >= _ALIAS_THEIRS * listing_alone[other]:
            aliases[one].add(other)
    habits.aliases = {word: frozenset(others) for word, others in aliases.items()}
    return habits


def _keeps(said: Counter[str], alone: Counter[str]) -> dict[str, float]:
    """Result: by word, how much more or less than usual it means that the other side leaves it out."""
    usual = 1 - (sum(alone.values()) + 1) / (sum(said.values()) + 10)
    return {
        word: min(_MOST, max(_LEAST, (1 - (alone[word] + 3 * (1 - usual)) / (count + 3)) / usual)) for word, count in said.items()
    }
