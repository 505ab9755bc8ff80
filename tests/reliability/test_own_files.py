"""Administrators are inside the threat model (found/wire.md, I2): no connection shows them our keys or the machine's files."""

import pytest
from django.conf import settings as live
from django.core import checks
from django.urls import reverse

from alerts.channels.message import Message
from alerts.channels.settings import WebhookSecrets, WebhookSettings
from alerts.channels.webhook import webhook_deliver
from alerts.models import Channel
from connectors.errors import ConfigError
from connectors.models import ApiCall, Connection
from connectors.services import connection_save
from tests.conftest import NOW
from tests.sync.test_sync_commands import command

pytestmark = pytest.mark.django_db
KEY = "django-insecure-this-signs-every-session"
CLOSED = "is in none of the folders that are open to connections"
FORM = {
    "name": "spy", "mode": "observe", "is_active": "on", "time_zone": "UTC", "currency": "", "guard_zero_percent": "10",
    "guard_shrink_percent": "20",
}  # fmt: skip


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    """An installation as delivered."""
    settings.DATA_DIR, settings.EVENSTOCK_FOLDERS = tmp_path / "data", ["exchange"]
    (settings.DATA_DIR / "exchange").mkdir(parents=True)
    (settings.DATA_DIR / "secret_key").write_text(KEY)
    (settings.DATA_DIR / "archive").mkdir()
    return settings.DATA_DIR


def spies(data) -> list[dict]:
    """Settings that would show a file of ours, or of the machine."""
    link = data / "exchange" / "door"
    link.symlink_to(data)
    return [
        {"folder": ".", "pattern": "secret_key"},
        {"folder": str(data), "pattern": "secret*"},
        {"folder": "exchange/..", "pattern": "secret_key"},
        {"folder": "exchange/door", "pattern": "secret_key"},
        {"folder": "archive", "pattern": "*"},
        {"folder": str(live.BASE_DIR), "pattern": "manage.py"},
        {"folder": "/etc", "pattern": "passwd"},
        {"folder": "/proc/self", "pattern": "environ"},
    ]


def test_a_till_that_looks_at_our_files_is_not_saved_and_the_field_says_why(data, admin_client):
    for given in spies(data):
        fields = {f"setting__{name}": value for name, value in given.items()}
        page = admin_client.post("/admin/connectors/connection/add/?kind=pos_csv", FORM | fields).content.decode()
        assert f'id="id_setting__folder_error"><li>“{given["folder"]}”' in page
        assert f"Open are: {data}/exchange." in page
        assert "EVENSTOCK_FOLDERS" in page
        page = admin_client.post("/admin/setup/add/pos_csv/", FORM | fields).content.decode()
        assert CLOSED in page
        words = [f"{name}={value}" for name, value in given.items()]
        code, said = command("connect", "pos_csv", "--folder", given["folder"], "--set", words[1])
        assert (code, CLOSED in said, KEY in said) == (1, True, False)
        with pytest.raises(ConfigError, match=CLOSED):
            connection_save(name="spy", kind="pos_csv", settings_given=given, credentials={}, mode="observe")
    assert Connection.objects.count() == 0


def test_one_that_was_saved_before_is_refused_when_it_is_tested_and_nothing_is_read(data, admin_client):
    for given in spies(data):
        spy = Connection.objects.create(name="spy", kind="pos_csv", settings={**given, "stable_seconds": 0})
        page = admin_client.post(f"/admin/connectors/connection/{spy.pk}/test/").content.decode()
        page += admin_client.post(f"/admin/setup/{spy.pk}/", follow=True).content.decode()
        assert page.count(CLOSED) == 2
        assert KEY not in page
        assert "root:" not in page
        spy.delete()
    assert sorted(path.name for path in data.iterdir()) == ["archive", "exchange", "secret_key"]


def test_a_link_to_our_key_inside_an_open_folder_is_no_export(data, admin_client):
    (data / "exchange" / "export.csv").symlink_to(data / "secret_key")
    spy = connection_save(name="spy", kind="pos_csv", settings_given={"folder": "exchange"}, credentials={}, mode="observe")
    page = admin_client.post(f"/admin/connectors/connection/{spy.pk}/test/").content.decode()
    assert "No export has arrived yet." in page
    assert KEY not in page


def test_an_authority_s_file_is_one_of_those_too(data, admin_client):
    form = FORM | {"setting__url": "https://till.example", "credential__token": "a-token", "setting__ca_file": "secret_key"}
    page = admin_client.post("/admin/connectors/connection/add/?kind=rest_pos", form).content.decode()
    assert 'id="id_setting__ca_file_error"><li>“secret_key”' in page
    assert Connection.objects.count() == 0
    before = {"url": "https://127.0.0.1:9", "ca_file": "secret_key"}
    till = Connection.objects.create(name="till", kind="rest_pos", settings=before, credentials={"token": "a-token"})
    page = admin_client.post(f"/admin/connectors/connection/{till.pk}/test/").content.decode()
    assert CLOSED in page
    assert [call.status for call in ApiCall.objects.all()] == [0]
    keys = {"consumer_key": "ck_1", "consumer_secret": "cs_1"}
    shop = Connection.objects.create(name="shop", kind="woocommerce", settings=before, credentials=keys)
    assert CLOSED in admin_client.post(f"/admin/connectors/connection/{shop.pk}/test/").content.decode()


def test_a_channel_s_too(admin_client):
    form = {
        "name": "Chat", "is_active": "on", "pace": "at_once", "send_at": "07:00", "min_severity": "30", "critical_passes": "on",
        "time_zone": "UTC", "setting__shape": "slack", "setting__ca_file": "secret_key",
        "credential__url": "https://hooks.example/x",
    }  # fmt: skip
    page = admin_client.post(reverse("admin:alerts_channel_add") + "?kind=webhook", form).content.decode()
    assert CLOSED in page
    assert Channel.objects.count() == 0
    settings, secrets = WebhookSettings(ca_file="secret_key"), WebhookSecrets(url="https://127.0.0.1:9/x")
    with pytest.raises(ConfigError, match=CLOSED):
        webhook_deliver(settings, secrets, Message(NOW, "x", "y"), NOW)


def test_one_that_is_not_in_use_can_be_changed_without_its_folder(admin_client):
    """Whoever takes a till out of use need not find a folder for it first."""
    till = Connection.objects.create(name="spy", kind="pos_csv", settings={"folder": "/srv/gone"})
    form = {name: value for name, value in FORM.items() if name != "is_active"} | {"setting__folder": "/srv/gone"}
    change = f"/admin/connectors/connection/{till.pk}/change/"
    assert CLOSED in admin_client.post(change, form | {"is_active": "on"}).content.decode()
    assert admin_client.post(change, form).status_code == 302
    till.refresh_from_db()
    assert not till.is_active


def test_an_upgraded_shop_is_told_which_connection_lies_elsewhere(data):
    Connection.objects.create(name="old-till", kind="pos_csv", settings={"folder": "/srv/exports"})
    Connection.objects.create(name="gone", kind="pos_csv", settings={"folder": "/srv/exports"}, is_active=False)
    Connection.objects.create(name="good", kind="pos_csv", settings={"folder": "exchange/good"})
    (told,) = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    assert told.id == "connectors.W002"
    assert told.msg == (
        f"“old-till” can't be used: “/srv/exports” {CLOSED}. Open are: {data}/exchange. Use one of these, or have the operator "
        "name its folder in EVENSTOCK_FOLDERS. A folder with Evenstock's own data is never open."
    )


def test_an_operator_who_opens_our_data_is_told_that_it_stays_closed(settings, data):
    settings.EVENSTOCK_FOLDERS = [str(data), "exchange", "archive"]
    told = checks.run_checks(tags=[checks.Tags.files])
    assert [(one.id, one.msg) for one in told] == [
        ("connectors.W001", f"EVENSTOCK_FOLDERS names {name}, which holds Evenstock's own data: no connection may use it.")
        for name in (data, data / "archive")
    ]
