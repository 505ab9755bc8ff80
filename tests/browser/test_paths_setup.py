"""A shop set up from nothing: an empty database, a shop behind HTTP, a file of the till; at the end it is live and in step."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import serve
from sandbox.woocommerce import StoreApp
from tests.browser.pages import pages
from tests.browser.screenshots import MESSY
from tests.browser.seed import PASSWORD
from tests.browser.server import ROOT, ServedShop, served
from tests.browser.test_every_page import violations
from tests.sync.shop import product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

STOCK = {f"POT-{n:02}": 4 + n for n in range(24)}
EXPORT = "\r\n".join(
    [
        "Artikelnummer;Bezeichnung;Lagerstand;Verkaufspreis",
        *(f"{sku};Blumentöpfe {sku};{n};1.005,00" for sku, n in STOCK.items()),
        "",
    ]
).encode("cp1252")


@dataclass
class Town:
    """What is there before anybody sets anything up: a web shop, and a folder that a till writes to."""

    admin: ServedShop
    app: StoreApp
    url: str
    folder: Path

    def shown(self) -> dict[str, int]:
        return {one.sku: one.quantity for one in self.app.catalogue.products.values() if one.sku in STOCK}

    def told_to_the_shop(self) -> list[str]:
        """What was sent to be changed there: empty questions for permission are none."""
        return [each.path for each in self.app.writes if each.body != {"update": []}]

    def until(self, sql: str, wanted: Any = 1) -> None:
        """Wait for the worker: its rows are the truth."""
        for _ in range(1200):
            if self.admin.ask(sql)[0][0] == wanted:
                return
            time.sleep(0.1)
        raise AssertionError(f"{sql}: {self.admin.ask(sql)}")


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("EVENSTOCK_ALLOW_PRIVATE_NETWORKS", "true")
    monkeypatch.setenv("EVENSTOCK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    folder = tmp_path / "exports"
    folder.mkdir()
    (tmp_path / "data" / "till").mkdir(parents=True)
    app = StoreApp(version="10.5", clock=lambda: datetime.now(UTC))
    listed = [product(100 + n, sku, n % 5, name=f"Blumentopf {sku}", regular_price="5") for n, sku in enumerate(STOCK)]
    app.load([*listed, product(900, "SAW", 3, name="A saw")])
    server = serve(app, tls=False)
    try:
        with served(tmp_path / "data", products=0) as admin, _worker():
            yield Town(admin, app, server.url, folder)
    finally:
        server.stop()


class _worker:  # noqa: N801 - used as a block
    """The real one, as `manage.py run` starts it."""

    def __enter__(self) -> None:
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "celery",
            "-A",
            "config",
            "--quiet",
            "worker",
            "--pool",
            "solo",
            "-l",
            "ERROR",
        ]
        self.process = subprocess.Popen([*command, "--without-gossip", "--without-mingle"], cwd=ROOT)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def visit(browser: Any, town: Town) -> Iterator[Callable[[str], Any]]:
    """Result: a page of somebody who is logged in to that town's back office."""
    opened = []

    def page_of(login: str) -> Any:
        context = browser.new_context(base_url=town.admin.url, viewport={"width": 1280, "height": 900})
        opened.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto("/admin/login/")
        page.fill("#id_username", login)
        page.fill("#id_password", PASSWORD)
        page.click("[type=submit]")
        page.wait_for_selector("#menu")
        return page

    yield page_of
    for context in opened:
        context.close()


def state_of(page: Any, step: str) -> str:
    return page.inner_text(f"[id^=step-][id$=-{step}] .badge").split()[-1]


def test_an_administrator_sets_a_shop_up_from_nothing_until_it_is_live_and_in_step(town, visit):
    page = visit("administrator")
    page.goto("/admin/")
    assert "Set up your shop: add the shop" in page.inner_text("#live-todo")
    page.click("#go-set-up")

    # The shop: a wrong key first, in words; then the right one.
    page.click("text=Add a WooCommerce store")
    page.fill("[name=name]", "web-shop")
    page.fill("[name=setting__url]", town.url)
    page.fill("[name=credential__consumer_key]", "ck_not_the_key")
    page.fill("[name=credential__consumer_secret]", town.app.secret)
    page.click("text=Save and test")
    assert "can't be used yet" in page.inner_text(".verdict")
    assert "ck_not_the_key" not in page.content()
    page.click("text=Correct its settings")
    page.fill("[name=credential__consumer_key]", town.app.key)
    page.click("[name=_save]")
    page.goto("/admin/setup/")
    assert "settings have changed" in page.inner_text("[id$=-shop]")
    page.click("[id$=-shop] button:has-text('Test it')")
    assert "“web-shop” can be used" in page.inner_text(".verdict")
    assert "25 products" in page.inner_text(".findings")
    page.click("text=Back to Set-up")

    # The till: semicolons, Windows letters, a column nobody knows.
    page.click("text=Add a till by CSV files")
    page.fill("[name=name]", "till")
    page.fill("[name=setting__folder]", str(town.folder))
    page.click("text=Save and test")
    page.click("text=Look at a sample export")
    page.set_input_files("[name=file]", {"name": "list.csv", "mimeType": "text/csv", "buffer": EXPORT})
    page.click("text=Look at it")
    assert "No column of the file is the quantity" in page.inner_text("#verdict")
    page.select_option("[name=column_quantity]", "=Lagerstand")
    page.wait_for_selector("#verdict >> text=All is well: 24 rows can be read.")
    assert "Blumentöpfe POT-00" in page.inner_text("#preview")
    assert town.admin.ask("select count(*) from inventory_item") == [(0,)]
    assert town.admin.ask("select settings from connectors_connection where name = 'till'")[0][0].count("Lagerstand") == 0
    page.click("text=Save: read exports like this")
    assert "Lagerstand" in town.admin.ask("select settings from connectors_connection where name = 'till'")[0][0]
    assert "No export has arrived yet" in page.inner_text("[id$=-till]")
    drop(town)
    page.click("[id$=-till] button:has-text('Test again')")
    page.click("text=Back to Set-up")
    assert [state_of(page, step) for step in ("shop", "till", "align", "shadow")] == ["Done", "Done", "Next", "Later"]

    # Read, align, look at what a sync would do.
    page.click("text=Read both sides and find partners")
    town.until("select count(*) from sync_syncrun where state != 'running'")
    page.wait_for_selector("[id$=-align] >> text=Review 24 proposals", timeout=30_000)  # live, without reloading
    page.click("text=Review 24 proposals")
    accept_all(page)
    page.goto("/admin/setup/")
    assert "24 of 24 items have a partner in the shop: 100 %" in page.inner_text("[id$=-align]")
    page.click("text=Start a shadow run")
    town.until("select count(*) from sync_syncrun where state != 'running'", 2)
    page.wait_for_selector("[id$=-shadow] >> text=Go-live report", timeout=30_000)
    page.click("text=Go-live report")
    assert "would write 24 numbers" in page.inner_text(".verdict")
    assert town.told_to_the_shop() == []
    assert town.shown() == {sku: n % 5 for n, sku in enumerate(STOCK)}

    # Live, deliberately.
    page.click("text=Go live…")
    page.check("[name=sure]")
    page.click("button:has-text('Go live')")
    assert "is live" in page.inner_text(".messagelist")
    town.until("select count(*) from sync_syncrun where state = 'done' and is_observed = 0")
    assert town.shown() == STOCK
    assert town.admin.ask("select name, mode from connectors_connection order by name") == [
        ("till", "live"),
        ("web-shop", "live"),
    ]
    assert town.admin.ask("select count(*) from django_celery_beat_periodictask where name like '%web-shop'")[0][0] >= 5
    page.goto("/admin/setup/")
    assert state_of(page, "live") == "Done"
    page.goto("/admin/")
    assert page.query_selector("#go-set-up") is None
    assert page.complaints == []


def drop(town: Town) -> None:
    """The till exports: the file has lain there for a minute."""
    path = town.folder / "export.csv"
    path.write_bytes(EXPORT)
    os.utime(path, (time.time() - 60,) * 2)


def accept_all(page: Any) -> None:
    """Accept each proposal by its button."""
    for _ in STOCK:
        page.click("[name=accept] >> nth=0")


def test_a_manager_sees_how_far_it_is_and_cannot_set_it_up(town, visit):
    page = visit("manager")
    page.goto("/admin/setup/")
    assert state_of(page, "shop") == "Next"
    assert page.query_selector_all(".step .btn") == []
    assert "Somebody with another role" in page.inner_text("[id$=-shop]")
    assert page.goto("/admin/setup/add/woocommerce/").status == 403
    assert town.admin.ask("select count(*) from connectors_connection") == [(0,)]


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"narrow": True}], ids=["light", "dark", "narrow"])
def test_the_pages_on_the_way_to_live_are_accessible(shop, open_as, look):
    with shop.change() as rows:
        rows.execute("update connectors_connection set mode = 'observe' where name = 'web-shop'")
    page, wrong = open_as("administrator", **look), []
    found = pages(shop)
    for name in ("set-up", "go-live report"):
        page.goto(found[name])
        wrong += violations(page)
    page.click("text=Go live…")
    wrong += violations(page)
    page.goto(found["sample export"])
    page.set_input_files("[name=file]", MESSY)
    page.click("input[type=submit]")
    page.wait_for_selector("#preview")
    wrong += violations(page)
    assert wrong == []
