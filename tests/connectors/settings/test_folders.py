"""Which files of this machine a connection may touch (found/wire.md, I2): the rule, by where paths lead to when they are used."""

import pytest

from connectors.errors import ConfigError
from connectors.pos_csv.settings import PosCsvSettings
from connectors.rest_pos.settings import RestPosSettings
from connectors.settings.allowed import folders_allowed
from connectors.settings.folders import Folders, folders_of


@pytest.fixture
def machine(tmp_path):
    """/shop/data is ours, with /shop/data/exchange and /shop/data/archive in it; /shop/exports and /etc are others."""
    for folder in ("shop/data/exchange/north", "shop/data/archive", "shop/exports", "etc"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def opened(machine, *named: str) -> Folders:
    data = machine / "shop/data"
    return folders_of(base=data, named=[machine / name for name in named], ours=[data], never=[data / "archive"])


def led_to(folders: Folders, path) -> str:
    """Where it leads, below the machine; "" where it is refused."""
    try:
        return str(folders.led_to(path))
    except ConfigError:
        return ""


@pytest.mark.parametrize(
    ("path", "is_open"),
    [
        ("exchange", True),
        ("exchange/north", True),
        ("exchange/not-there-yet", True),
        ("exchange/../exchange/north", True),
        ("", False),  # the data folder itself
        (".", False),
        ("exchange/..", False),
        ("exchange/../archive", False),
        ("archive", False),
        ("exchange2", False),
        ("../exports", False),
        ("/", False),
        ("exchange/\0", False),
    ],
)
def test_as_delivered_only_the_exchange_folder_is_open(machine, path, is_open):
    assert bool(led_to(opened(machine, "shop/data/exchange"), path)) is is_open


@pytest.mark.parametrize("named", ["shop", ""])
def test_a_folder_that_holds_our_data_opens_everything_but_that(machine, named):
    folders = opened(machine, named)
    assert led_to(folders, machine / "shop/exports")
    assert led_to(folders, machine / "shop")
    for path in ("shop/data", "shop/data/exchange", "shop/data/archive", "shop/exports/../data"):
        assert led_to(folders, machine / path) == "", path
    both = opened(machine, named, "shop/data/exchange")
    assert led_to(both, machine / "shop/data/exchange/north")
    assert led_to(both, machine / "shop/data") == ""


@pytest.mark.parametrize("named", ["shop/data", "shop/data/archive"])
def test_our_own_data_is_not_opened_by_naming_it(machine, named):
    folders = opened(machine, named)
    for path in ("shop/data", "shop/data/archive", "shop/data/exchange"):
        assert led_to(folders, machine / path) == "", path


def test_nothing_is_open_where_nothing_is_named(machine):
    for folders in (opened(machine), Folders()):
        for path in ("/", machine, machine / "shop/exports", "exchange"):
            assert led_to(folders, path) == ""


def test_a_link_counts_by_where_it_leads_now(machine):
    folders = opened(machine, "shop/exports")
    door = machine / "shop/exports/door"
    door.mkdir()
    assert led_to(folders, door) == str(door)
    door.rmdir()
    door.symlink_to(machine / "shop/data")  # made after it was looked at
    for path in (door, door / "exchange", door / "../data", door / "secret_key"):
        assert led_to(folders, path) == "", path
    door.unlink()
    door.symlink_to(machine / "shop/exports", target_is_directory=True)
    assert led_to(folders, door) == str(machine / "shop/exports")
    (machine / "way").symlink_to(machine / "shop/exports")  # named by another way
    assert led_to(opened(machine, "way"), machine / "shop/exports") == str(machine / "shop/exports")
    loop = machine / "shop/exports/loop"
    loop.symlink_to(loop)
    assert led_to(folders, loop / "x") in ("", str(loop / "x"))  # leads nowhere


def test_the_refusal_names_what_is_open_and_the_setting_to_change(machine):
    with pytest.raises(ConfigError) as refused:
        opened(machine, "shop/exports", "shop/data/exchange").led_to("../data")
    data, exports = machine / "shop/data", machine / "shop/exports"
    assert refused.value.message == (
        f"“../data” (that is {data}) is in none of the folders that are open to connections. "
        f"Open are: {exports}, {data}/exchange."
    )
    assert refused.value.code == "folder_not_open"
    assert "EVENSTOCK_FOLDERS" in refused.value.next_step


def test_every_setting_that_names_a_path_is_looked_at(machine):
    folders = opened(machine, "shop/exports")
    assert set(folders.refused(PosCsvSettings, {"folder": "../data"})) == {"folder"}
    assert set(folders.refused(RestPosSettings, {"url": "https://till.example", "ca_file": "/etc/ssl/ours.pem"})) == {"ca_file"}
    assert folders.refused(RestPosSettings, {"url": "https://till.example", "ca_file": ""}) == {}
    assert folders.refused(PosCsvSettings, {"folder": str(machine / "shop/exports")}) == {}


def test_code_database_and_what_the_process_knows_are_ours(settings, tmp_path, monkeypatch):
    """An operator who opens everything has not opened these."""
    settings.DATA_DIR, settings.BASE_DIR, settings.EVENSTOCK_FOLDERS = tmp_path / "data", tmp_path / "code", ["/"]
    for name, value in (("ENGINE", "django.db.backends.sqlite3"), ("NAME", str(tmp_path / "db" / "shop.sqlite3"))):
        monkeypatch.setitem(settings.DATABASES["default"], name, value)
    folders = folders_allowed()
    assert led_to(folders, tmp_path / "exports")
    for path in ("data", "data/exchange", "data/uploads", "code", "code/config", "db"):
        assert led_to(folders, tmp_path / path) == "", path
    assert led_to(folders, "/proc/self") == ""
    settings.EVENSTOCK_FOLDERS = ["/", "exchange", "uploads", "archive", "broker", "static"]
    folders = folders_allowed()
    assert led_to(folders, "exchange") == str(tmp_path / "data/exchange")
    for path in ("uploads", "archive", "archive/2026-08", "broker/queue", "static", "secret_key", "salt_key"):
        assert led_to(folders, path) == "", path
