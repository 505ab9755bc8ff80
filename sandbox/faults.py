"""What can go wrong between a client and a sandbox, and how slow it is: switches for the store and the till alike."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from random import Random
from threading import Condition, Lock
from typing import Any

REQUEST_KINDS = frozenset(
    {
        "hang",  # no reply for `seconds`, then the connection ends; `applied`: the request took effect first
        "close",  # the connection ends at once without a reply; `applied` as above
        "reset",  # the same with a TCP reset
        "rate_limit",  # 429 with Retry-After (default 1): `retry_after` is seconds, or "date:<seconds>" for an HTTP date
        "maintenance",  # 503 with Retry-After 600 (or `retry_after`), HTML unless JSON is accepted
        "fatal",  # 500, a PHP fatal: HTML unless JSON is accepted; `applied`: after the work was done
        "die_at",  # a batch dies after its `at`-th item: that many are written, the reply is as for `fatal`
        "gateway",  # 504 (or `status`) HTML from a proxy, with `retry_after` if given; `applied`: the shop did the work
        "forbidden",  # 403 HTML from a firewall
        "html",  # 200 with a page of HTML instead of the reply; the request took effect
        "bom",  # a byte order mark before the JSON
        "notice",  # a PHP notice before the JSON
        "half_json",  # the first half of the JSON, as if it were all
        "cut_off",  # the connection ends in the middle of the body
        "empty_list",  # 200 with no rows
        "missing_row",  # the list lacks its `at`-th row (default the last)
        "odd_row",  # the row whose id or SKU is `thing` (None: every row) has other `fields`: by name JSON as text, "" for none
    }
)
WEBHOOK_KINDS = frozenset({"webhook_lost", "webhook_doubled", "webhook_late", "webhook_reordered"})
KINDS = REQUEST_KINDS | WEBHOOK_KINDS


@dataclass
class Fault:
    """One thing to go wrong. `path` is a regular expression found anywhere in the path (for a webhook: in its topic).

    The first `skip` matching requests are spared, the next `count` (None: all) are hit, each with `probability`.
    """

    kind: str
    method: str = ""
    path: str = ""
    count: int | None = 1
    skip: int = 0
    probability: float = 1.0
    applied: bool = False
    seconds: float = 30.0
    at: int = 0
    status: int = 0
    retry_after: str = ""
    thing: int | str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    hits: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault “{self.kind}”. Use one of: {', '.join(sorted(KINDS))}.")
        if self.kind == "die_at":
            self.path = self.path or "batch"


class Faults:
    """The faults armed now. Thread-safe; chances are drawn from `seed`, so a run can be repeated."""

    def __init__(self, *, seed: int = 0) -> None:
        self._lock = Lock()
        self._random = Random(seed)
        self._armed: list[Fault] = []

    def arm(self, kind: str, **options: Any) -> Fault:
        """Arm one fault (see `Fault` for the options). Result: the fault; its `hits` tell how often it struck.
        Raises ValueError for an unknown kind, TypeError for an unknown option."""
        fault = Fault(kind, **options)
        with self._lock:
            self._armed.append(fault)
        return fault

    def clear(self) -> None:
        """Disarm everything."""
        with self._lock:
            self._armed.clear()

    @property
    def armed(self) -> list[Fault]:
        """Faults that can still strike, oldest first (copies)."""
        with self._lock:
            return [replace(fault) for fault in self._armed]

    def take(self, method: str, path: str) -> Fault | None:
        """Result: the oldest armed fault that strikes this request, counted as used; None if none does."""
        return self._take(REQUEST_KINDS, method, path)

    def take_for_webhook(self, topic: str) -> Fault | None:
        """Result: the oldest armed fault that strikes a delivery of this topic; None if none does."""
        return self._take(WEBHOOK_KINDS, "", topic)

    def _take(self, kinds: frozenset[str], method: str, path: str) -> Fault | None:
        if not self._armed:
            return None
        with self._lock:
            for fault in self._armed:
                if fault.kind not in kinds or (fault.method and fault.method.upper() != method):
                    continue
                if fault.path and not re.search(fault.path, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.probability < 1 and self._random.random() >= fault.probability:
                    continue
                return self._use(fault)
        return None

    def _use(self, fault: Fault) -> Fault:
        fault.hits += 1
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                self._armed.remove(fault)
        return fault


class Settings:
    """How slow the system is, in seconds, and how many requests it works on at once (0: no limit; more wait their turn)."""

    NAMES = ("latency", "page_cost", "row_cost", "item_cost", "concurrency")

    def __init__(self) -> None:
        self.latency = 0.0
        self.page_cost = 0.0
        self.row_cost = 0.0
        self.item_cost = 0.0
        self.concurrency = 0
        self._turn = Condition()
        self._working = 0

    def set(self, **values: float) -> None:
        """Change the named figures. Raises ValueError for a name that isn't one."""
        for name, value in values.items():
            if name not in self.NAMES:
                raise ValueError(f"There is no setting “{name}”. Use one of: {', '.join(self.NAMES)}.")
            setattr(self, name, int(value) if name == "concurrency" else float(value))
        with self._turn:
            self._turn.notify_all()

    def as_dict(self) -> dict[str, float]:
        """Result: the figures by name."""
        return {name: getattr(self, name) for name in self.NAMES}

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a turn, keep it while working, and pay the latency in it."""
        with self._turn:
            while self.concurrency and self._working >= self.concurrency:
                self._turn.wait()
            self._working += 1
        try:
            if self.latency:
                time.sleep(self.latency)
            yield
        finally:
            with self._turn:
                self._working -= 1
                self._turn.notify()

    def read(self, rows: int) -> None:
        """Take the time that reading one page of `rows` costs."""
        if cost := self.page_cost + rows * self.row_cost:
            time.sleep(cost)

    def wrote(self) -> None:
        """Take the time that writing one item costs."""
        if self.item_cost:
            time.sleep(self.item_cost)


def fault_from_json(given: dict[str, Any], faults: Faults) -> Fault:
    """Arm what a remote caller described. Raises ValueError naming what is wrong."""
    known = {item.name for item in fields(Fault)} - {"hits"}
    if unknown := set(given) - known:
        raise ValueError(f"Unknown in a fault: {', '.join(sorted(unknown))}.")
    return faults.arm(given.pop("kind", ""), **given)
