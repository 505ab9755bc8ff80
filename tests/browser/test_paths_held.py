"""What is held back: a run, and an export of the till. Released or discarded by those who may."""

import pytest

pytestmark = pytest.mark.browser

MAY, MAY_NOT = ("lead", "administrator"), ("nobody", "viewer", "manager")


def held_run(shop) -> str:
    ((pk,),) = shop.ask("select id from sync_syncrun where state = 'held'")
    return f"/admin/sync/syncrun/{pk}/"


def held_feed(shop) -> str:
    ((pk,),) = shop.ask("select id from sync_tillfeed where state = 'held'")
    return f"/admin/sync/tillfeed/{pk}/"


def states(shop) -> list[tuple[str, str]]:
    """State of each run that is held now or was decided on, and of its export."""
    return shop.ask("""select run.state, feed.state from sync_tillfeed feed join sync_syncrun run on run.id = feed.run_id
        where feed.name = 'export_0.csv'""")


def files(shop, folder: str) -> int:
    return sum(path.name.endswith("export_0.csv") for path in (shop.till / folder).glob("*"))


@pytest.mark.parametrize("login", MAY)
def test_a_held_run_is_released_after_its_preview_was_read(shop, open_as, login):
    path = held_run(shop)
    page = open_as(login)
    page.goto("/admin/")
    page.click(f"a[href='{path}change/']")
    page.click("text=Release…")
    assert "It would set 212 products to zero" in page.inner_text("#content-main")
    assert page.locator("table.plain tbody tr").count() == 20
    assert (states(shop), shop.asked_of_workers()) == ([("held", "held")], [])
    page.click("text=Release it")
    # Its export is used again, and a worker is asked to let the run go on: the run is held until one has begun.
    number = path.strip("/").rpartition("/")[2]
    assert page.inner_text(".messagelist") == f"Full sync {number} of web-shop goes on as soon as a worker takes it up."
    assert (states(shop), files(shop, "held"), files(shop, "processing")) == ([("held", "released")], 0, 1)
    ((task, asked),) = shop.asked_of_workers()
    assert (task, asked["kind"], asked["dry_run"]) == ("sync.tasks.sync_store", "full", False)
    assert f"/{asked['release_run_id']}/" in path
    assert shop.ask("select username from auth_user where id = ?", asked["by_id"]) == [(login,)]
    assert page.complaints == []


def test_on_a_phone_without_scripts_a_held_run_is_discarded_and_writes_nothing(shop, open_as):
    path = held_run(shop)
    writes = shop.ask("select count(*) from sync_outboundwrite")
    page = open_as("lead", narrow=True, scripts=False)
    page.goto(f"{path}change/")
    page.click("text=Discard…")
    page.click("text=Discard it")
    assert "Nothing of it was written." in page.inner_text(".messagelist")
    assert states(shop)[0][0] == "discarded"
    assert shop.asked_of_workers() == []
    assert shop.ask("select count(*) from sync_outboundwrite") == writes
    assert page.locator("text=Release…").count() == 0


def test_a_run_that_somebody_else_decided_on_meanwhile_is_not_released(shop, open_as):
    path = held_run(shop)
    page = open_as("lead")
    page.goto(f"{path}release/")
    with shop.change() as rows:
        rows.execute("update sync_syncrun set state = 'discarded' where state = 'held'")
    page.click("text=Release it")
    assert "is not held any more" in page.inner_text(".messagelist")
    assert shop.asked_of_workers() == []


def test_a_held_export_is_used_all_the_same(shop, open_as):
    page = open_as("lead")
    page.goto(f"{held_feed(shop)}change/")
    page.click("text=Use it all the same")
    assert page.inner_text(".messagelist") == "“export_0.csv” will be used with the next sync."
    assert (states(shop), files(shop, "held"), files(shop, "processing")) == ([("held", "released")], 0, 1)
    assert page.locator("text=Use it all the same").count() == 0
    assert page.complaints == []


@pytest.mark.parametrize("login", MAY_NOT)
def test_who_may_not_release_sees_no_button_and_is_refused_by_hand(shop, open_as, post_by_hand, login):
    run, feed = held_run(shop), held_feed(shop)
    page = open_as(login)
    for path, button in ((run, "Release…"), (run, "Discard…"), (feed, "Use it all the same")):
        page.goto(f"{path}change/")
        assert page.locator(f"text={button}").count() == 0
    for path in (f"{run}release/", f"{run}discard/", f"{feed}release/"):
        assert post_by_hand(login, path) == 403
    assert (states(shop), shop.asked_of_workers(), files(shop, "held")) == ([("held", "held")], [], 1)
