"""Whole collections, page by page in parallel, and counted (woocommerce_answers.md 1: a shop's paging may skip rows)."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.contract import Aside, SetAside
from connectors.errors import PartialReadError, UnreadableError
from connectors.http.pacing import UNTIL_RESULT, Pacer, Pause, paced_map
from connectors.wire import is_systems_fault
from connectors.woocommerce.client import Client, NoRouteError, Page


@dataclass(slots=True)
class Collection:
    """Everything one address lists. `ids` are the rows seen, `nameless` how many there were without a number that can be used,
    `totals` what the shop counted with each page."""

    endpoint: str
    params: Mapping[str, str]
    parent: int = 0
    optional: bool = False  # the shop's version may not have this address
    eager: bool = False  # ask for the second page before the first has told whether there is one
    missing: bool = False
    ids: set[int] = field(default_factory=set)
    nameless: int = 0
    totals: list[int] = field(default_factory=list)
    asked: int = 0  # pages asked for

    def saw(self, remote_id: int) -> None:
        """A row counts as seen, whether it can be read or not."""
        if remote_id:
            self.ids.add(remote_id)
        else:
            self.nameless += 1

    def check(self, *, may_grow: bool = False) -> None:
        """Raises PartialReadError unless every row was seen once. `may_grow`: rows that came meanwhile do no harm."""
        total, seen = max(self.totals, default=0), len(self.ids) + self.nameless
        complete = seen >= total if may_grow else seen == total and len(set(self.totals)) <= 1
        if not complete:
            raise PartialReadError(
                f"The shop says it has {self.totals[-1]} {self.endpoint}, but we saw {seen}.",
                next_step="Nothing of it was used; the next reading tries again.",
            )


def asides_tell(odd: Sequence[SetAside], *, of: int, aside: Aside) -> None:
    """Tell of each thing that can't be read, once: a row may come on two pages. Raises the first one's error where it is hardly
    their own fault."""
    if is_systems_fault(odd=len(odd), of=of):
        first = odd[0].cause
        raise UnreadableError(
            f"{len(odd)} of {of} things that the shop shows can't be read. {first.message}",
            next_step="So many can't all be wrong: a plugin changes what the shop's API says. Switch it off, or ask its maker.",
            code=first.code,
        )
    told: set[int] = set()
    for thing in odd:
        if thing.remote_id not in told:
            aside(thing)
        told |= {thing.remote_id} - {0}


Found = Callable[[Collection, Page | None], Iterable[Collection]]  # no page: the shop has no such address


def read_all(client: Client, pacer: Pacer, first: Iterable[Collection], found: Found, *, per_page: int) -> None:
    """Read every page of `first` and of the collections that `found` returns for a page's rows.

    The first pages tell how many there are. A lane that would idle until then (the optional address turned out to be
    missing) asks for a second page in advance.
    """
    todo = _Todo(per_page)
    for collection in first:
        todo.add(collection)

    def fetch(task: tuple[Collection, int]) -> Page | None:
        collection, number = task
        asked = {**collection.params, "per_page": str(per_page), "page": str(number)}
        try:
            return client.page(collection.endpoint, asked, items=per_page)
        except NoRouteError:
            if collection.optional:
                return None
            raise

    for (collection, _), page in paced_map(fetch, todo, pacer=pacer):
        todo.answered(collection, page)
        for more in found(collection, page):
            todo.add(more)


class _Todo(Iterator[tuple[Collection, int] | Pause]):
    """Pages still to ask for, growing with what is found."""

    def __init__(self, per_page: int) -> None:
        self._per_page = per_page
        self._queue: deque[tuple[Collection, int]] = deque()
        self._collections: list[Collection] = []
        self._open = 0

    def add(self, collection: Collection) -> None:
        self._collections.append(collection)
        self._ask(collection, 2 if collection.eager else 1)

    def answered(self, collection: Collection, page: Page | None) -> None:
        self._open -= 1
        if page is None:
            collection.missing = True
            for other in self._collections:
                if not other.totals and other.asked == 1 and not other.missing:
                    self._ask(other, 2)
            return
        collection.totals.append(page.total)
        self._ask(collection, -(-page.total // self._per_page))

    def __next__(self) -> tuple[Collection, int] | Pause:
        if self._queue:
            self._open += 1
            return self._queue.popleft()
        if self._open:
            return UNTIL_RESULT
        raise StopIteration

    def _ask(self, collection: Collection, last: int) -> None:
        for number in range(collection.asked + 1, last + 1):
            self._queue.append((collection, number))
            collection.asked = number
