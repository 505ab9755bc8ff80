"""What an upgrade must not lose: as the rows of then say it, and where it is found today.

Each fact is a pair of functions with one form of answer: `said` knows the old tables alone, `found` is the one place that knows
where the same is kept today. A later change of the schema touches `found`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from alerts.models import Alert, Channel, Notification, Threshold
from alignment.models import Alignment, MatchingPolicy, StoreLocation
from connectors.models import Connection
from inventory.models import Item, Listing, Location, Movement, StockLevel, Voucher
from jobs.models import Heartbeat, JobSlot
from reporting.models import DailyMetric, ReportDelivery, ReportMail
from sync.models import (
    InboundEvent,
    Order,
    OrderLine,
    OutboundWrite,
    PricePolicy,
    PriceReview,
    PriceWrite,
    PutOff,
    RunProblem,
    SyncConflict,
    SyncLog,
    SyncPolicy,
    SyncRun,
    SyncState,
    TillFeed,
    TillPrice,
)
from tests.migrations.fixture import Old, Row, plain

Answer = dict[Any, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    said: Callable[[Old], Answer]
    found: Callable[[Old], Answer]


def _same_rows(table: str, model: type[Model], *, but: tuple[str, ...] = ()) -> Fact:
    """Rows that are kept as they were: each column of then, by key, is found under the same name."""
    left_out, key = {*but}, model._meta.pk.column

    def said(old: Old) -> Answer:
        return {row[key]: {name: value for name, value in row.items() if name not in left_out} for row in old.rows(table)}

    def found(old: Old) -> Answer:
        columns = {name for row in old.rows(table)[:1] for name in row} - left_out
        fields = [field for field in model._meta.concrete_fields if field.column in columns]
        return {
            row.pk: {field.column: plain(field.value_from_object(row)) for field in fields} for row in model._base_manager.all()
        }

    return Fact(table, said, found)


# The ledger


def _movements_said(old: Old) -> Answer:
    return {(row["source_id"], row["reference"]): _movement(row) for row in old.rows("inventory_movement")}


def _movement(row: Row) -> tuple[Any, ...]:
    names = ("item_id", "location_id", "quantity", "kind", "occurred_at", "recorded_at", "by_id", "reason")
    return tuple(row[name] for name in names)


def _movements_found(old: Old) -> Answer:
    names = ("item_id", "location_id", "quantity", "kind", "occurred_at", "recorded_at", "by_id", "reason")
    return {
        (row.source_id, sentence_of(row)): tuple(plain(getattr(row, name)) for name in names)
        for row in Movement.objects.select_related("voucher")
    }


def sentence_of(movement: Movement) -> str:
    """Result: what a movement came from, as movements said it before there were vouchers."""
    voucher = movement.voucher
    assert voucher.connection_id == movement.source_id
    match voucher.kind:
        case Voucher.Kind.FEED:
            at = datetime.fromtimestamp(voucher.number, UTC)
            mark = f"{voucher.document[:16]} {at:%Y%m%d%H%M%S}"
            return f"feed {mark} item {movement.item_id} place {movement.location_id}"
        case Voucher.Kind.ORDER | Voucher.Kind.LATE:
            late = " aligned" if voucher.kind == Voucher.Kind.LATE else ""
            return f"order {voucher.document} line {voucher.line} state {voucher.number}{late}"
        case Voucher.Kind.DRIFT:
            return f"drift of listing {voucher.document} at {EPOCH + timedelta(microseconds=voucher.number):%Y%m%dT%H%M%S%f}"
        case Voucher.Kind.CONFLICT:
            return f"conflict {voucher.document}"
        case _:
            return voucher.document


def _lists_said(old: Old) -> Answer:
    """By each list that is still known: the movements that came from it. Its sentence names its beginning and its moment; a list
    that names no moment itself may have come again later."""
    found: dict[tuple[int, str], set[tuple[int, str]]] = {}
    for row in old.rows("inventory_movement"):
        words = row["reference"].split()
        for feed in old.rows("sync_tillfeed") if words[0] == "feed" else ():
            is_it = feed["identity"].startswith(words[1]) and feed["connection_id"] == row["source_id"]
            if is_it and (feed["true_at"] == row["occurred_at"] or "@" not in feed["identity"]):
                found.setdefault((row["source_id"], feed["identity"]), set()).add((row["item_id"], row["occurred_at"]))
    return found


def _lists_found(old: Old) -> Answer:
    found: dict[tuple[int, str], set[tuple[int, str]]] = {}
    for feed in TillFeed.objects.all():
        for row in Movement.objects.filter(
            voucher__kind="feed", voucher__connection=feed.connection, voucher__document=feed.identity
        ):
            found.setdefault((feed.connection_id, feed.identity), set()).add((row.item_id, plain(row.occurred_at)))
    return found


def _shelves_said(old: Old) -> Answer:
    return {(row["item_id"], row["location_id"]): row["on_hand"] for row in old.rows("inventory_stocklevel")}


def _shelves_found(old: Old) -> Answer:
    """What lies there by the movements, which is what on hand says, too."""
    sums: Counter[tuple[int, int]] = Counter()
    for item, place, quantity in Movement.objects.values_list("item_id", "location_id", "quantity"):
        sums[item, place] += quantity
    return {shelf: str(Decimal(quantity).quantize(Decimal("0.001"))) for shelf, quantity in sums.items()}


def _levels_said(old: Old) -> Answer:
    names = ("on_hand", "reserved", "baseline", "last_reading", "read_at")
    return {(row["item_id"], row["location_id"]): tuple(row[name] for name in names) for row in old.rows("inventory_stocklevel")}


def _levels_found(old: Old) -> Answer:
    return {
        (row.item_id, row.location_id): tuple(
            map(plain, (row.on_hand, row.reserved, row.baseline, row.last_reading, row.read_at))
        )
        for row in StockLevel.objects.all()
    }


ACCOUNT = ("baseline", "suspect", "suspected_at", "opened_at", "read_at", "news_at", "missing_since")
PRODUCT = (
    "connection_id", "parent_remote_id", "kind", "sku", "sku_key", "name", "barcode", "status", "stock_management", "backorders",
    "price", "sale_price", "cost", "first_seen_at",
)  # fmt: skip


def _listings_said(old: Old) -> Answer:
    """A number that is neither what it should be nor a suspect is unknown by now: nobody can tell an old one from an odd one."""
    return {
        (row["id"], row["remote_id"]): (_reading(row), *(row[name] for name in (*ACCOUNT, *PRODUCT)))
        for row in old.rows("alignment_listing")
    }


def _reading(row: Row) -> str | None:
    is_odd = None not in (row["quantity"], row["baseline"]) and row["suspect"] is None and row["quantity"] != row["baseline"]
    reading: str | None = None if is_odd else row["quantity"]
    return reading


def _listings_found(old: Old) -> Answer:
    return {
        (row.pk, row.remote_id): tuple(plain(getattr(row, name)) for name in ("quantity", *ACCOUNT, *PRODUCT))
        for row in Listing.objects.all()
    }


# Conflicts


def _settled_said(old: Old) -> Answer:
    """By settled conflict, what settling it booked: its own number or, where a rule did, its listing and that moment."""
    listing_of = old.named("alignment_alignment", "listing_id")
    remote_ids = old.named("alignment_listing", "remote_id")
    booked = {(row["source_id"], row["recorded_at"], row["reference"]) for row in old.rows("inventory_movement")}
    settled = {}
    for row in old.rows("sync_syncconflict"):
        wanted = [f"conflict {row['id']}"]
        if row["alignment_id"] and row["resolved_at"]:
            at = datetime.fromisoformat(row["resolved_at"])
            wanted.append(f"drift of listing {remote_ids[listing_of[row['alignment_id']]]} at {at:%Y%m%dT%H%M%S%f}")
        settled[row["id"]] = [said for source, at, said in sorted(booked) if at == row["resolved_at"] and said in wanted]
    return settled


def _settled_found(old: Old) -> Answer:
    return {
        row.pk: [sentence_of(movement) for movement in row.voucher.movements.select_related("voucher")] if row.voucher else []
        for row in SyncConflict.objects.select_related("voucher")
    }


# People, and what runs by itself


def _app_of(app: str, model: str) -> str:
    """Result: the app that a model belongs to today."""
    found = {one._meta.app_label for one in apps.get_models() if one._meta.model_name == model}
    return app if app in found or not found else found.pop()


def _names_of_permissions(old: Old) -> dict[int, str]:
    types = {row["id"]: (row["app_label"], row["model"]) for row in old.rows("django_content_type")}
    return {row["id"]: f"{_app_of(*types[row['content_type_id']])}.{row['codename']}" for row in old.rows("auth_permission")}


def _permissions_said(old: Old) -> Answer:
    """What people and groups of their own may do, by the name that pages ask for."""
    names, users, groups = _names_of_permissions(old), old.named("auth_user", "username"), old.named("auth_group", "name")
    found: dict[str, set[str]] = {}
    for row in old.rows("auth_user_user_permissions"):
        found.setdefault(f"user {users[row['user_id']]}", set()).add(names[row["permission_id"]])
    for row in old.rows("auth_group_permissions"):
        if groups[row["group_id"]] == "Night shift":
            found.setdefault("group Night shift", set()).add(names[row["permission_id"]])
    return found


def _permissions_found(old: Old) -> Answer:
    def named(permissions: Any) -> set[str]:
        return {f"{app}.{codename}" for app, codename in permissions.values_list("content_type__app_label", "codename")}

    users = {f"user {user.username}": named(user.user_permissions) for user in User.objects.all()}
    groups = {f"group {group}": named(group.permissions) for group in Group.objects.filter(name="Night shift")}
    return {name: permissions for name, permissions in (users | groups).items() if permissions}


def _roles_said(old: Old) -> Answer:
    groups, names = old.named("auth_group", "name"), _names_of_permissions(old)
    users = old.named("auth_user", "username")
    holds = {(groups[row["group_id"]], names[row["permission_id"]]) for row in old.rows("auth_group_permissions")}
    member = {users[row["user_id"]]: groups[row["group_id"]] for row in old.rows("auth_user_groups")}
    return {user: {permission for group, permission in holds if group == role} for user, role in member.items()}


def _roles_found(old: Old) -> Answer:
    """Only what they could do then: a newer version's roles may hold more."""
    then = _roles_said(old)
    return {name: allowed & User.objects.get(username=name).get_all_permissions() for name, allowed in then.items()}


def _admin_log_said(old: Old) -> Answer:
    types = {row["id"]: (_app_of(row["app_label"], row["model"]), row["model"]) for row in old.rows("django_content_type")}
    return {row["id"]: (*types[row["content_type_id"]], row["object_repr"]) for row in old.rows("django_admin_log")}


def _admin_log_found(old: Old) -> Answer:
    """By what each line leads to today, not by what it says of it."""
    return {
        row.pk: (row.content_type.app_label, row.content_type.model, str(row.get_edited_object())[:200])
        for row in LogEntry.objects.select_related("content_type")
    }


def _histories() -> Iterator[Fact]:
    """Who changed what: every line of it."""
    for model in apps.get_models():
        if model._meta.model_name.startswith("historical"):
            yield _same_rows(model._meta.db_table, model)


def _history_said(old: Old) -> Answer:
    counts = {table.partition("_")[2]: len(rows) for table, rows in old.tables.items() if "_historical" in table}
    return {model: count for model, count in counts.items() if count}


def _history_found(old: Old) -> Answer:
    models = [model for model in apps.get_models() if model._meta.model_name.startswith("historical")]
    return {model._meta.model_name: count for model in models if (count := model._base_manager.count())}


FACTS = (
    Fact("movements", _movements_said, _movements_found),
    Fact("lists", _lists_said, _lists_found),
    Fact("shelves", _shelves_said, _shelves_found),
    Fact("levels", _levels_said, _levels_found),
    Fact("listings", _listings_said, _listings_found),
    Fact("settled conflicts", _settled_said, _settled_found),
    Fact("permissions", _permissions_said, _permissions_found),
    Fact("roles", _roles_said, _roles_found),
    Fact("admin log", _admin_log_said, _admin_log_found),
    Fact("history", _history_said, _history_found),
    _same_rows("connectors_connection", Connection),
    _same_rows("inventory_item", Item),
    _same_rows("inventory_location", Location),
    _same_rows("alignment_alignment", Alignment),
    _same_rows("alignment_storelocation", StoreLocation),
    _same_rows("sync_outboundwrite", OutboundWrite),
    _same_rows("sync_putoff", PutOff),
    _same_rows("sync_syncrun", SyncRun),
    _same_rows("sync_runproblem", RunProblem),
    _same_rows("sync_tillfeed", TillFeed),
    _same_rows("sync_syncconflict", SyncConflict),
    _same_rows("sync_synclog", SyncLog),
    _same_rows("sync_syncstate", SyncState),
    _same_rows("sync_syncpolicy", SyncPolicy),
    _same_rows("sync_order", Order),
    _same_rows("sync_orderline", OrderLine),
    _same_rows("sync_inboundevent", InboundEvent),
    _same_rows("sync_pricepolicy", PricePolicy),
    _same_rows("sync_pricereview", PriceReview),
    _same_rows("sync_pricewrite", PriceWrite),
    _same_rows("sync_tillprice", TillPrice),
    _same_rows("sync_jobslot", JobSlot),
    _same_rows("sync_heartbeat", Heartbeat),
    _same_rows("alerts_alert", Alert),
    _same_rows("alerts_channel", Channel),
    _same_rows("alerts_channel_connections", Channel.connections.through),
    _same_rows("alerts_notification", Notification),
    _same_rows("alerts_threshold", Threshold),
    _same_rows("alignment_matchingpolicy", MatchingPolicy),
    _same_rows("reporting_dailymetric", DailyMetric),
    _same_rows("reporting_reportdelivery", ReportDelivery),
    _same_rows("reporting_reportmail", ReportMail),
    _same_rows("django_celery_beat_periodictask", PeriodicTask),
    _same_rows("django_celery_beat_crontabschedule", CrontabSchedule),
    _same_rows("django_celery_beat_intervalschedule", IntervalSchedule),
    _same_rows("auth_user", User),
    *_histories(),
)
# Tables of then that are asked about by another name, and the one that only says when the schedule was last looked at.
OTHERWISE = {
    "inventory_movement", "inventory_stocklevel", "alignment_listing", "django_admin_log", "django_content_type", "auth_group",
    "auth_group_permissions", "auth_permission", "auth_user_groups", "auth_user_user_permissions",
    "django_celery_beat_periodictasks",
}  # fmt: skip


def facts_said(old: Old) -> dict[str, Answer]:
    return {fact.name: fact.said(old) for fact in FACTS}


def facts_found(old: Old) -> dict[str, Answer]:
    """`old`: which columns and roles there were then; the answers are today's."""
    return {fact.name: fact.found(old) for fact in FACTS}
