"""Each rule asked about everything there is: facts from the database, findings from the rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from alerts.rules import products as product_rules
from alerts.rules import systems as system_rules
from alerts.rules.words import RULES, Code, Finding
from alerts.selectors import products, systems
from alerts.selectors.limits import LimitTable
from jobs.vitals import workers_silent_since
from sync.models import SyncConflict

Type = SyncConflict.Type
Look = Callable[[LimitTable, datetime], Iterable[Finding | None]]


def _negative_stock(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for product, level_id, place, on_hand in products.levels_below_zero():
        yield product_rules.negative_stock(product, level_id=level_id, place=place, on_hand=on_hand)


def _stock(table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for product, available, limits, sells in products.shelves_short(table):
        yield product_rules.stock(product, available=available, limits=limits, sells=sells)


def _discrepancy(table: LimitTable, now: datetime) -> Iterator[Finding | None]:
    for product, target, shows, why, limits in products.pairs_apart(table, now=now):
        yield product_rules.discrepancy(product, target=target, shows=shows, why=why, limits=limits)


def _prices(table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for product, till, shop, limits in products.prices_apart(table):
        yield product_rules.price_gap(product, till_price=till, shop_price=shop, limits=limits)
    for product, before, after, why in products.prices_waiting():
        yield product_rules.price_waits(product, before=before, after=after, why=why)


def _refused(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for product, why in products.pairs_refused():
        yield product_rules.write_refused(product, why=why)


def _drift(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for dispute, is_critical in products.disputes(Type.QUANTITY):
        yield product_rules.critical_drift(dispute, is_critical=is_critical)


def _missing_data(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for dispute, _ in products.disputes(Type.LISTING_DELETED, Type.UNMANAGED):
        yield product_rules.missing_data(dispute)


def _missing_alignment(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for dispute, _ in products.disputes(Type.MISSING_ALIGNMENT):
        yield product_rules.sold_unaligned(dispute)
    for store in products.stores_unaligned():
        yield product_rules.unaligned(store_id=store.store_id, store=store.name, count=store.count)


def _failures(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for failures in systems.failures():
        yield system_rules.sync_failed(failures)
        yield system_rules.sync_failed_again(failures)


def _health(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for health in systems.health():
        yield system_rules.api_unavailable(health)
        yield system_rules.address_trouble(health)


def _queues(_table: LimitTable, now: datetime) -> Iterator[Finding | None]:
    for queue in (*systems.webhooks_waiting(), *systems.writes_waiting()):
        yield system_rules.queue_backing_up(queue, now=now)
    yield system_rules.jobs_untaken(workers_silent_since(now=now), now=now)


def _unanswered(_table: LimitTable, now: datetime) -> Iterator[Finding | None]:
    for queue in systems.writes_without_answer():
        yield system_rules.writes_unanswered(queue, now=now)


def _events(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for queue in systems.webhooks_failed():
        yield system_rules.events_failed(queue)


def _hooks(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for system, message, is_well in systems.hooks():
        yield system_rules.webhook_trouble(system, message=message, is_well=is_well)


def _held(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for thing in systems.held_things():
        yield system_rules.held(thing)


def _till_files(table: LimitTable, now: datetime) -> Iterator[Finding | None]:
    for system, last_at in systems.tills_by_file():
        hours = table.of(connection_ids=[system.connection_id]).file_within_hours
        yield system_rules.till_file_late(system, last_at=last_at, within_hours=hours, now=now)


def _set_aside(_table: LimitTable, _now: datetime) -> Iterator[Finding | None]:
    for job, message, at in systems.jobs_set_aside():
        yield system_rules.task_set_aside(job=job, message=message, at=at)


# Which rules each look answers for: what it does not find is gone.
LOOKS: Mapping[tuple[Code, ...], Look] = {
    (Code.NEGATIVE_STOCK,): _negative_stock,
    (Code.OUT_OF_STOCK, Code.LOW_STOCK): _stock,
    (Code.DISCREPANCY,): _discrepancy,
    (Code.PRICE_GAP,): _prices,
    (Code.WRITE_REFUSED,): _refused,
    (Code.CRITICAL_DRIFT,): _drift,
    (Code.MISSING_DATA,): _missing_data,
    (Code.MISSING_ALIGNMENT,): _missing_alignment,
    (Code.SYNC_FAILED, Code.SYNC_FAILED_AGAIN): _failures,
    (Code.API_UNAVAILABLE, Code.ADDRESS_TROUBLE): _health,
    (Code.QUEUE_BACKING_UP,): _queues,
    (Code.WRITES_UNANSWERED,): _unanswered,
    (Code.EVENT_FAILED,): _events,
    (Code.WEBHOOK_TROUBLE,): _hooks,
    (Code.HELD_RUN,): _held,
    (Code.TILL_FILE_LATE,): _till_files,
    (Code.TASK_SET_ASIDE,): _set_aside,
}
EVERYTHING = frozenset(code for codes in LOOKS for code in codes)
EACH_MINUTE = frozenset(code for code in EVERYTHING if RULES[code].each_minute)


def findings(*, codes: Iterable[Code], now: datetime) -> tuple[list[Finding], frozenset[Code]]:
    """Result: what these rules find now, and the rules that were asked: those named, and those that share their facts."""
    wanted, table = set(codes), LimitTable()
    found: list[Finding] = []
    asked: set[Code] = set()
    for answers, look in LOOKS.items():
        if wanted.intersection(answers):
            asked.update(answers)
            found += [finding for finding in look(table, now) if finding is not None]
    return found, frozenset(asked)
