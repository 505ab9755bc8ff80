"""Whether the till counts an item at all, where a column of its list says so. What it shows of one that it doesn't count is no
number: unknown, never zero (ledger.md §3)."""

from collections.abc import Iterable

from connectors.pos_csv.reading.presets import header_key

_YES = frozenset(
    {"yes", "y", "true", "t", "1", "1.0", "-1", "on", "x", "✓", "✔", "tracked", "enabled", "ja", "j", "wahr", "oui", "o", "vrai",
     "si", "sí", "sì", "s", "verdadero", "vero", "sim", "verdadeiro", "tak", "prawda", "ano", "igen", "evet", "kyllä"}
)  # fmt: skip
_NO = frozenset(
    {"no", "n", "false", "f", "0", "0.0", "off", "-", "not tracked", "untracked", "disabled", "none", "nein", "falsch", "non",
     "faux", "falso", "não", "nao", "nee", "nej", "nei", "nie", "fałsz", "ne", "nem", "hayır", "ei"}
)  # fmt: skip


class TrackedColumn:
    """One file's column of who is counted; `cells`: all there are in it, each once. A column that names the *tracker* (Shopify's)
    holds whoever counts, so that any other word says yes."""

    def __init__(self, header: str, cells: Iterable[str]) -> None:
        said = {_word(cell) for cell in cells}
        self._names_tracker = header_key(header).endswith("tracker")
        self._says_yes, self._says_no = bool(said & _YES), bool(said & _NO)

    def is_tracked(self, cell: str) -> bool | None:
        """Result: None where nobody can tell. An empty cell says no beside others that say yes (or name a tracker); in a column
        that nobody has filled in it says nothing, so that the quantity counts."""
        word = _word(cell)
        if word in _NO:
            return False
        if word in _YES:
            return True
        if self._names_tracker:
            return bool(word)
        if word or self._says_no:
            return None
        return not self._says_yes


def _word(cell: str) -> str:
    return cell.strip().removeprefix("=").strip("'\"").strip().casefold()
