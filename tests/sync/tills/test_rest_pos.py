"""A till with an API and a shop, kept in step by the engine: changes both ways over real HTTP, each with one effect."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from connectors.management.base import CommandExit
from connectors.models import Connection
from connectors.services import connection_save
from inventory.models import Item, StockLevel
from sandbox.server import serve
from sandbox.till import TillApp
from sync.models import OutboundWrite, SyncRun, SyncState, TillFeed
from sync.tills import read as till_pull
from sync.turns.decisions import feed_release
from tests.sync.shop import FULL, INCREMENTAL, Shop, opened, problems, stocked

pytestmark = pytest.mark.django_db
STOCK = {"A": 10, "B": 6, "C": 7}
POST = {"method": "POST", "path": "adjustments"}


class ApiShop(Shop):
    """The shop of the other tests, its till with an API instead of files."""

    pos_app: TillApp

    def export(self, *, name: str = "") -> Path:
        """Nothing to do: the till is asked."""
        return self.folder

    def feeds(self) -> list[tuple[str, str]]:
        """(state, name) of each feed, oldest first."""
        return list(TillFeed.objects.order_by("pk").values_list("state", "name"))

    def adjustments(self) -> list[Any]:
        """What was sent to the till, whatever became of it: (SKU, units)."""
        return [(request.body["sku"], request.body["delta"]) for request in self.pos_app.writes]

    def booked(self) -> list[tuple[str, int]]:
        """What the till booked for us."""
        return [(one.sku, int(one.delta)) for one in self.pos_app.happenings if one.adjustment]

    def later(self, **by: float) -> None:
        self.clock.tick(**(by or {"minutes": 15}))


@pytest.fixture
def api_shop(tmp_path: Path, db: None) -> Iterator[Callable[..., ApiShop]]:
    """Make a shop whose till has an API; it is live, and in step already."""
    with ExitStack() as stack:

        def build(*, stock: dict[str, int | str] | None = None, started: bool = True, **settings: Any) -> ApiShop:
            shop = stack.enter_context(opened(tmp_path / "drop", stock=stock or STOCK))
            shop.__class__ = ApiShop
            assert isinstance(shop, ApiShop)
            shop.pos.delete()
            shop.pos_app = TillApp(clock=shop.clock.now)
            stocked(shop.pos_app, stock or STOCK)
            shop.till = shop.pos_app
            server = serve(shop.pos_app)
            stack.callback(server.stop)
            shop.pos = connection_save(
                name="till",
                kind="rest_pos",
                settings_given={"url": server.url, "read_timeout": 1, "settle_seconds": 0, **settings},
                credentials={"token": shop.pos_app.token},
                mode="live",
            )
            if started:
                assert shop.running().state == "done"
                shop.pos_app.forget_requests()
                shop.later()
            return shop

        yield build


@pytest.mark.parametrize("kind", [FULL, INCREMENTAL])
def test_a_sale_at_the_till_reaches_the_shop_and_only_it_is_read(api_shop, kind):
    shop = api_shop()
    shop.till.sell("A", 3)
    run = shop.sync(kind)
    assert run.state == "done"
    assert shop.shown() == {"A": 7, "B": 6, "C": 7}
    assert shop.sent() == {"A": [-3]}
    assert shop.movements() == [("A", -3)]
    assert run.counts["till_changed"] == 1
    assert [state for state, _ in shop.feeds()] == ["applied", "applied"]
    assert TillFeed.objects.latest("pk").rows == 1
    assert shop.adjustments() == []


def test_nothing_happened_leaves_no_trace(api_shop):
    shop = api_shop()
    assert shop.sync().state == "done"
    assert len(shop.feeds()) == 1
    assert (shop.movements(), shop.sent(), shop.adjustments()) == ([], {}, [])


def test_sales_within_one_moment_are_each_read_once(api_shop):
    shop = api_shop()
    for _ in range(4):
        shop.till.sell("A", 1)
        run = shop.sync(INCREMENTAL)
        assert run.counts["till_changed"] == 1
    assert shop.movements() == [("A", -1)] * 4
    assert [state for state, _ in shop.feeds()] == ["applied"] * 5


def test_a_run_that_dies_with_a_feed_half_used_loses_and_doubles_nothing(api_shop, monkeypatch):
    monkeypatch.setattr(till_pull.chunks, "__defaults__", (1,))  # a chunk a row
    shop = api_shop()
    shop.till.sell("A", 1)
    shop.till.sell("B", 2)

    def dying(phase: str, done: int, total: int) -> None:
        if (phase, total) == (SyncRun.Phase.TILL, 2):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        shop.sync(progress=dying)
    assert shop.movements() == [("A", -1)]
    assert [state for state, _ in shop.feeds()] == ["applied", "applying"]
    shop.till.sell("C", 3)
    shop.later()
    shop.sync()
    assert sorted(shop.movements()) == [("A", -1), ("B", -2), ("C", -3)]
    assert [state for state, _ in shop.feeds()] == ["applied", "applied"]
    assert shop.shown() == {"A": 9, "B": 4, "C": 4}


def test_an_unchanged_items_name_and_price_survive_a_sale(api_shop):
    shop = api_shop()
    before = Item.objects.values("name", "barcode", "category", "vendor", "cost", "price").get(sku="A")
    shop.till.sell("A", 1)
    shop.sync()
    assert Item.objects.values("name", "barcode", "category", "vendor", "cost", "price").get(sku="A") == before
    shop.till.reprice("A", before["price"] + 1)
    shop.later()
    shop.sync()
    assert Item.objects.get(sku="A").price == before["price"] + 1
    assert shop.movements() == [("A", -1)]


def test_an_online_order_lowers_the_till_once(api_shop):
    shop = api_shop()
    shop.app.place_order([("A", 2)])
    shop.later(minutes=1)
    for _ in range(4):
        assert shop.sync(INCREMENTAL).state == "done"
        shop.later(minutes=1)
    assert shop.booked() == [("A", -2)]
    assert shop.till.on_hand("A") == 8
    assert shop.shown()["A"] == 8
    assert shop.movements() == [("A", -2)]


LOST = ["hang", "close", "reset", "gateway", "fatal", "html", "half_json", "cut_off"]


@pytest.mark.parametrize("fault", LOST)
def test_an_online_order_lowers_the_till_once_though_the_answer_got_lost(api_shop, fault):
    shop = api_shop()
    shop.app.place_order([("A", 2)])
    shop.later(minutes=1)
    shop.pos_app.faults.arm(fault, applied=True, seconds=2, **POST)
    shop.sync(INCREMENTAL)
    assert list(OutboundWrite.objects.values_list("state", flat=True)) == ["unknown"]
    shop.till.sell("A", 1)  # meanwhile
    for _ in range(3):
        shop.later(minutes=5)
        shop.sync(INCREMENTAL)
    assert shop.booked() == [("A", -2)]
    assert list(OutboundWrite.objects.filter(level__isnull=False).values_list("state", flat=True)) == ["applied"]
    assert shop.movements() == [("A", -2), ("A", -1)]
    assert (shop.till.on_hand("A"), shop.shown()["A"]) == (7, 7)


@pytest.mark.parametrize("fault", ["hang", "close", "gateway"])
def test_an_adjustment_that_never_arrived_is_sent_again_and_booked_once(api_shop, fault):
    shop = api_shop()
    shop.app.place_order([("A", 2)])
    shop.later(minutes=1)
    shop.pos_app.faults.arm(fault, applied=False, seconds=2, **POST)
    for _ in range(3):
        shop.sync(INCREMENTAL)
        shop.later(minutes=5)
    assert shop.booked() == [("A", -2)]
    assert len(shop.adjustments()) == 2
    assert shop.movements() == [("A", -2)]


def test_a_till_that_asks_to_slow_down_is_told_with_the_next_run(api_shop):
    shop = api_shop()
    shop.app.place_order([("A", 2)])
    shop.later(minutes=1)
    shop.pos_app.faults.arm("rate_limit", retry_after="0", **POST)
    shop.sync(INCREMENTAL)
    assert shop.booked() == []
    shop.later(minutes=1)
    shop.sync(INCREMENTAL)
    assert shop.booked() == [("A", -2)]


def test_a_sale_beside_our_own_adjustment_is_not_lost(api_shop):
    """Numbers near an adjustment of ours are left open; the till's versions alone would never show them again."""
    shop = api_shop()
    shop.app.place_order([("A", 2)])
    shop.later(minutes=1)
    shop.sync(INCREMENTAL)
    shop.till.sell("A", 1)
    shop.later(seconds=30)
    run = shop.sync(INCREMENTAL)
    assert run.counts["till_readings_deferred"] == 1
    assert shop.movements() == [("A", -2)]
    shop.later(minutes=5)
    shop.sync(INCREMENTAL)
    assert shop.movements() == [("A", -2), ("A", -1)]
    assert shop.shown()["A"] == 7
    feeds = len(shop.feeds())
    shop.later(minutes=5)
    shop.sync(INCREMENTAL)
    assert len(shop.feeds()) == feeds  # nothing is left open


@pytest.mark.parametrize("after", [{"seconds": 30}, {"hours": 21}])
def test_the_whole_list_shows_our_own_adjustment_and_nothing_comes_of_it(api_shop, after):
    shop = api_shop(complete_every_hours=0.001)
    shop.app.place_order([("A", 2)])
    shop.later(minutes=1)
    shop.sync(INCREMENTAL)
    shop.later(**after)
    shop.sync()
    shop.later(minutes=5)
    shop.sync()
    assert all(name.startswith("Whole") for _, name in shop.feeds())
    assert shop.movements() == [("A", -2)]
    assert shop.booked() == [("A", -2)]
    assert (shop.till.on_hand("A"), shop.shown()["A"]) == (8, 8)


@pytest.mark.parametrize("minutes", [-180, -10, 10, 180])
def test_clocks_that_differ_lose_and_double_nothing(api_shop, minutes):
    shop = api_shop()
    ours = shop.clock

    shop.till.clock = lambda: ours.at + timedelta(minutes=minutes)
    shop.app.place_order([("A", 2)])
    shop.till.sell("B", 1)
    for _ in range(4):
        shop.later(minutes=5)
        assert shop.sync(INCREMENTAL).state == "done"
        shop.till.sell("A", 1)
    shop.later(minutes=5)
    shop.sync()
    assert sorted(shop.movements()) == [("A", -2), *[("A", -1)] * 4, ("B", -1)]
    assert shop.booked() == [("A", -2)]
    assert shop.shown() == shop.expected()


def test_an_item_that_is_gone_is_missing_and_keeps_its_number(api_shop):
    shop = api_shop()
    with shop.till._lock:
        state = shop.till.dump()
        shop.till.restore(
            type(state)(
                state.version,
                [item for item in state.items if item.sku != "C"],
                [level for level in state.levels if level.sku != "C"],
                state.happenings,
            )
        )
    shop.sync()
    assert Item.objects.get(sku="C").missing_since is None
    shop.later(hours=21)
    shop.sync()
    assert Item.objects.get(sku="C").missing_since is not None
    assert StockLevel.objects.get(item__sku="C").on_hand == 7
    assert shop.shown()["C"] == 7


def test_a_held_list_is_offered_with_each_run_and_used_once_released(api_shop):
    shop = api_shop(stock={f"S{n:02}": 5 for n in range(40)})
    for n in range(30):
        shop.till.count(f"S{n:02}", 0)
    for _ in range(2):
        run = shop.sync(INCREMENTAL)
        assert run.state == "held"
        shop.later()
    assert [state for state, _ in shop.feeds()] == ["applied", "held"]
    assert (shop.movements(), shop.sent()) == ([], {})
    shop.till.sell("S39", 1)  # the shop goes on
    feed_release(feed=TillFeed.objects.get(state="held"), now=shop.clock.now)
    Connection.objects.filter(pk=shop.store.pk).update(guard_zero_percent=100)
    run = shop.sync(INCREMENTAL)
    assert run.state == "done"
    assert [state for state, _ in shop.feeds()] == ["applied", "applied"]
    assert len(shop.movements()) == 31
    assert shop.shown() == shop.expected()


def test_a_reading_that_breaks_off_fails_the_run_and_changes_nothing(api_shop):
    shop = api_shop()
    shop.till.sell("A", 3)
    shop.pos_app.faults.arm("half_json", path="levels", count=None)
    run = shop.sync()
    assert run.state == "failed"
    assert (shop.movements(), shop.sent()) == ([], {})
    shop.pos.refresh_from_db()
    assert shop.pos.failures_in_row == 1
    shop.pos_app.faults.clear()
    shop.later()
    assert shop.sync().state == "done"
    assert shop.shown()["A"] == 7


def test_a_dry_run_changes_nothing_on_either_side(api_shop):
    shop = api_shop()
    shop.till.sell("A", 3)
    run = shop.sync(dry_run=True)
    assert [(one["woo_sku"], one["from"], one["to"]) for one in run.preview] == [("A", "10", "7")]
    assert len(shop.feeds()) == 1
    assert (shop.movements(), shop.sent(), shop.adjustments()) == ([], {}, [])


def refused(api_shop) -> ApiShop:
    """A till that does not know an item any more, which was sold online."""
    shop = api_shop(complete_every_hours=168)  # the sandbox can't list what was taken from under it
    shop.app.place_order([("A", 2)])
    with shop.till._lock:
        shop.gone = shop.till._items.pop("A")
    shop.later(minutes=1)
    return shop


def test_a_refused_adjustment_shows_with_the_tills_reason_and_the_others_count(api_shop):
    shop = refused(api_shop)
    shop.app.place_order([("B", 1)])
    shop.later(minutes=1)
    run = shop.sync(INCREMENTAL)
    assert run.state == "partial"
    assert problems(run) == [("A", None, "unknown_sku")]
    assert shop.booked() == [("B", -1)]
    state = SyncState.objects.get(pos_sku="A")
    assert state.sync_status == "error"
    assert state.reason.startswith("The till was not told of -2.")
    assert "Try again" in state.reason
    assert SyncState.objects.get(pos_sku="B").sync_status == "synced"
    level = StockLevel.objects.get(item__sku="A")
    assert (level.on_hand, level.baseline) == (8, 10)  # still owed


def test_a_refused_adjustment_is_not_sent_for_ever_and_not_forgotten(api_shop):
    shop = refused(api_shop)
    shop.sync(INCREMENTAL)
    shop.pos_app.forget_requests()
    for _ in range(4):
        shop.later(hours=5)
        run = shop.sync(INCREMENTAL)
        assert run.counts["till_held"] == 1
        assert SyncState.objects.get(pos_sku="A").sync_status == "error"
    assert shop.adjustments() == []
    shop.later(hours=5)  # a day is over: once more
    shop.sync(INCREMENTAL)
    shop.later(hours=1)
    shop.sync(INCREMENTAL)
    assert shop.adjustments() == [("A", "-2")]


def test_a_refused_adjustment_goes_again_as_soon_as_it_is_another_one(api_shop):
    shop = refused(api_shop)
    shop.sync(INCREMENTAL)
    shop.pos_app.forget_requests()
    shop.app.place_order([("A", 1)])
    shop.later(minutes=1)
    shop.till._items["A"] = shop.gone
    shop.sync(INCREMENTAL)
    assert shop.booked() == [("A", -3)]
    assert SyncState.objects.get(pos_sku="A").sync_status == "synced"


def test_a_manager_has_a_refused_adjustment_sent_again(api_shop, admin_client):
    shop = refused(api_shop)
    shop.sync(INCREMENTAL)
    shop.till._items["A"] = shop.gone
    write = OutboundWrite.objects.get(level__item__sku="A")
    asked = {"action": "try_again", "_selected_action": [write.pk]}
    page = "/admin/sync/outboundwrite/"
    assert b"Try again what was refused or failed" in admin_client.post(page, asked).content
    admin_client.post(page, {**asked, "reason": "The item is there again."})
    shop.later(minutes=1)
    run = shop.sync(INCREMENTAL)
    assert run.state == "done"
    assert shop.booked() == [("A", -2)]
    assert SyncState.objects.get(pos_sku="A").sync_status == "synced"


def test_an_adjustment_without_an_answer_waits_by_time_and_not_in_a_worker(api_shop):
    shop = api_shop(settle_seconds=60)
    shop.app.place_order([("A", 2)])
    shop.later(minutes=1)
    shop.pos_app.faults.arm("close", applied=False, **POST)
    shop.sync(INCREMENTAL)
    began = shop.clock.at
    shop.later(seconds=30)
    shop.sync(INCREMENTAL)
    assert shop.clock.at - began == timedelta(seconds=30)
    (write,) = OutboundWrite.objects.all()
    assert (write.state, write.next_attempt_at) == ("unknown", write.sent_at + timedelta(seconds=120 + 1 + 60))
    assert len(shop.adjustments()) == 1
    assert SyncState.objects.get(pos_sku="A").sync_status == "pending"
    shop.later(minutes=3)
    shop.sync(INCREMENTAL)
    assert shop.booked() == [("A", -2)]
    assert [each.state for each in OutboundWrite.objects.order_by("id")] == ["not_sent", "applied"]


def test_a_till_that_cannot_be_reached_is_one_problem_and_told_later(api_shop):
    shop = api_shop()
    shop.app.place_order([("A", 2), ("B", 1)])
    shop.later(minutes=1)
    shop.pos_app.faults.arm("forbidden", count=None, **POST)
    run = shop.sync(INCREMENTAL)
    assert problems(run) == [("till", None, "blocked")]
    assert set(SyncState.objects.exclude(pos_sku="C").values_list("sync_status", flat=True)) == {"error"}
    assert Connection.objects.get(pk=shop.pos.pk).last_error
    shop.pos_app.faults.clear()
    shop.later(minutes=15)
    assert shop.sync(INCREMENTAL).state == "done"
    assert sorted(shop.booked()) == [("A", -2), ("B", -1)]
    assert set(SyncState.objects.values_list("sync_status", flat=True)) == {"synced"}


# -- connecting --------------------------------------------------------------------------------------------------------


@pytest.fixture
def token() -> str:
    return "a-token-of-its-own"


def connect(till_url: str, *words: str) -> str:
    out = StringIO()
    call_command("connect", "rest_pos", "--name", "counter", "--url", till_url, *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def till_url(token, db) -> Iterator[str]:
    app = TillApp(token=token)
    stocked(app, STOCK)
    server = serve(app)
    yield server.url
    server.stop()


def test_connect_takes_the_token_and_settings_from_the_command_line(till_url, token):
    said = connect(till_url, "--secret", token, "--set", "page_limit=2")
    assert "Saved “counter” (Till by POS API, live)." in said
    assert "✓ The token may book adjustments; none was booked." in said
    counter = Connection.objects.get(name="counter")
    assert counter.credentials == {"token": token}
    assert counter.settings_parsed().page_limit == 2
    assert counter.facts == {"locations": "Main"}
    assert token not in said


def test_connect_takes_the_token_from_the_environment(till_url, token, monkeypatch):
    monkeypatch.setenv("EVENSTOCK_TOKEN", token)
    connect(till_url)
    assert Connection.objects.get(name="counter").credentials == {"token": token}


def test_connect_says_what_is_wrong_with_the_token(till_url):
    with pytest.raises(CommandExit, match="does not work like this: nothing was saved"):
        connect(till_url, "--secret", "wrong")
    assert Connection.objects.count() == 0


def test_the_admins_form_asks_for_address_and_token_and_never_shows_it(admin_client, till_url, token):
    add = "/admin/connectors/connection/add/?kind=rest_pos"
    asked = admin_client.get(add).content.decode()
    assert 'name="setting__url"' in asked
    assert 'type="password" name="credential__token"' in asked
    given = {
        "name": "counter", "mode": "observe", "is_active": "on", "time_zone": "UTC", "currency": "", "guard_zero_percent": "10",
        "guard_shrink_percent": "20", "setting__url": till_url, "credential__token": token,
    }  # fmt: skip
    assert admin_client.post(add, given).status_code == 302
    counter = Connection.objects.get(name="counter")
    assert (counter.settings, counter.credentials) == ({"url": till_url}, {"token": token})
    test = admin_client.post(f"/admin/connectors/connection/{counter.pk}/test/").content.decode()
    assert "It keeps stock at: Main." in test
    assert token not in test + admin_client.get(f"/admin/connectors/connection/{counter.pk}/change/").content.decode()


# -- one odd row -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{"on_hand": "1e999999999"}, {"version": str(2**80)}, {"location": '"\\u0000"'}])
def test_one_odd_level_is_named_and_keeps_its_number_and_the_others_count(api_shop, fields):
    shop = api_shop(complete_every_hours=0.001)
    shop.till.sell("A", 3)
    shop.till.sell("B", 2)
    shop.pos_app.faults.arm("odd_row", path="levels", thing="A", count=None, fields=fields)
    run = shop.sync()
    assert [code for _, _, code in problems(run)] == ["bad_quantity" if "on_hand" in fields else "bad_row"]
    assert shop.movements() == [("B", -2)]
    assert shop.shown() == {"A": 10, "B": 4, "C": 7}
    assert not Item.objects.exclude(missing_since=None).exists()
    shop.pos_app.faults.clear()
    shop.later()
    shop.sync()
    assert shop.movements() == [("B", -2), ("A", -3)]
    assert shop.shown() == {"A": 7, "B": 4, "C": 7}


@pytest.mark.parametrize("fields", [{"sku": '"A\\u0000"'}, {"name": '"\\ud800\\u0000"'}, {"vendor": "null"}, {"sku": "null"}])
def test_one_odd_item_stops_nothing_and_is_not_missing(api_shop, fields):
    shop = api_shop(complete_every_hours=0.001)
    shop.till.sell("A", 3)
    shop.till.sell("B", 2)
    shop.pos_app.faults.arm("odd_row", path="items", thing="A", count=None, fields=fields)
    shop.sync()
    assert sorted(shop.movements()) == [("A", -3), ("B", -2)]
    assert shop.shown() == {"A": 7, "B": 4, "C": 7}
    assert not Item.objects.exclude(missing_since=None).exists()
