"""Words of names: cut apart, and compared as people shorten and misspell them. Pure; knows no trade and no language."""

import re
import unicodedata
from functools import lru_cache

from rapidfuzz.distance import OSA

_APOSTROPHE = re.compile(r"(?<=\w)['’`´](?=\w)")
_WORD = re.compile(r"\d+(?:[.,]\d+)*(?![^\W_])|[^\W_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|er|re|e|s)")
_SLASHED = re.compile(r"(?<![^\W])([^\W\d_])/([^\W\d_])(?![^\W])")  # p/b
_PART = re.compile(r"\b(vol|volume|book|band|bd|part|teil|tome|tomo|no|nr)\b(\.?\s*)([ivx])\b")  # one letter may be a word
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12"}
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d"})

_VOWELS = frozenset("aeiouy")

SAME, NEARLY, SHORTENED, SKELETON, INITIAL = 1.0, 0.85, 0.85, 0.7, 0.5


@lru_cache(maxsize=200_000)
def folded(text: str) -> str:
    """Result: lower case, without accents and marks such as ™; `ä` as `a`."""
    text = re.sub(r"[™®©]", "", text)
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS))
    return "".join(char for char in text if not unicodedata.combining(char))


def words_of(text: str) -> tuple[list[str], list[str]]:
    """Result: the words and the bare numbers of a name, each once, in order. `#2`, `2nd`, `II` are the number 2."""
    words: dict[str, None] = {}
    numbers: dict[str, None] = {}
    plain = _PART.sub(_part_number, _SLASHED.sub(r"\1\2", _APOSTROPHE.sub("", folded(text))))
    for token in _WORD.findall(plain):
        number = number_of(token)
        if number is not None:
            numbers[number] = None
        else:
            words[token] = None
    return list(words), list(numbers)


def _part_number(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}{ {'i': 1, 'v': 5, 'x': 10}[match[3]] }"


def number_of(token: str) -> str | None:
    """Result: the number that a token stands for, without what doesn't count (`2.0`, `02`, `2nd`); None for a word."""
    if token in _ROMAN:
        return _ROMAN[token]
    ordinal = _ORDINAL.fullmatch(token)
    if ordinal:
        token = ordinal[1]
    if not _NUMBER.fullmatch(token):
        return None
    if len(token) > 6:
        return token.lstrip("0") or "0"  # a code, not an amount
    token = token.replace(",", ".")
    return f"{float(token):g}" if token.count(".") <= 1 else token


def has_digit(word: str) -> bool:
    return any(char.isdigit() for char in word)


@lru_cache(maxsize=500_000)
def likeness(one: str, other: str) -> float:
    """Result: how surely two different words mean the same, 0 to 1: a word cut short, its consonants, its first letter, a typing
    mistake. A word with a digit in it (a model, a code) is like no other."""
    if one == other:
        return SAME
    if has_digit(one) or has_digit(other):
        return 0.0
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if long.startswith(short):
        return _cut_short(short, long)
    if len(short) >= 4 and len(long) - len(short) <= 2:
        mistakes = OSA.distance(short, long, score_cutoff=2)
        if mistakes == 1 or (mistakes == 2 and len(long) >= 8):
            return NEARLY
    if len(short) >= 5 and short[:-2] == long[: len(short) - 2] and len(long) - len(short) <= 2:
        return NEARLY  # another ending: grün, grüne
    if 2 <= len(short) <= 0.75 * len(long) and _is_skeleton(short, long):
        return SKELETON
    return 0.0


def _cut_short(short: str, long: str) -> float:
    if len(short) == 1:
        return INITIAL
    if len(short) == 2:
        return SKELETON
    return 0.95 if len(long) - len(short) <= 2 and len(short) >= 4 else SHORTENED


def _is_skeleton(short: str, long: str) -> bool:
    """`dk` of `dark`, `strwb` of `strawberry`: the same first letter, then consonants in order, at least half of them."""
    if short[0] != long[0] or any(char in _VOWELS for char in short[1:]):
        return False
    place = 0
    for char in short:
        place = long.find(char, place) + 1
        if not place:
            return False
    return 2 * len(short) >= sum(char not in _VOWELS for char in long)


@lru_cache(maxsize=20_000)
def joined(words: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Result: neighbouring words as one, with what they were: `rapidstart` of `rapid start`; their initials too."""
    found: dict[str, tuple[str, ...]] = {}
    for length in (2, 3):
        for start in range(len(words) - length + 1):
            part = words[start : start + length]
            found.setdefault("".join(part), part)
            initials = "".join(word[0] for word in part)
            found.setdefault(initials, part)
    return found
