"""Case 41, where a person types it: a connection inside is refused as it is connected, unless the operator allows it."""

import pytest
from django.core.management import call_command

from connectors.management.base import CommandExit
from connectors.models import ApiCall, Connection

pytestmark = pytest.mark.django_db
KEYS = {"key": "ck_1", "secret": "cs_1"}
METADATA = "http://169.254.169.254/latest/meta-data"
INSIDE = [METADATA, "http://127.0.0.1:8000", "http://[::1]", "https://10.1.2.3", "http://2130706433"]


@pytest.fixture(autouse=True)
def as_in_production(settings):
    settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS = False


@pytest.mark.parametrize("url", INSIDE)
@pytest.mark.parametrize("kind", ["woocommerce", "rest_pos"])
def test_connect_refuses_an_address_inside_and_says_why(url, kind, capsys):
    given = KEYS if kind == "woocommerce" else {"secret": "token-0123456789abcdef"}
    with pytest.raises(CommandExit) as end:
        call_command("connect", kind, url=url, name="x", no_read=True, **given)
    assert end.value.code == 1
    said = capsys.readouterr().out
    assert "inside a private network, where a connection may not reach" in said
    assert "let the operator allow private networks" in said
    assert Connection.objects.count() == 0


@pytest.mark.parametrize("url", INSIDE)
@pytest.mark.parametrize("kind", ["woocommerce", "rest_pos"])
def test_the_admins_test_refuses_it_too(url, kind, admin_client):
    kept = {"consumer_key": "ck_1", "consumer_secret": "cs_1"} if kind == "woocommerce" else {"token": "token-0123456789abcdef"}
    shop = Connection.objects.create(name="x", kind=kind, settings={"url": url}, credentials=kept)
    html = admin_client.post(f"/admin/connectors/connection/{shop.pk}/test/").content.decode()
    assert "can't be used yet" in html
    assert "inside a private network" in html
    assert [call.status for call in ApiCall.objects.all()] == [0]  # one attempt, which ended before anything was dialled


def test_a_metadata_address_is_refused_even_where_private_ones_are_allowed(settings, capsys):
    settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS = True
    with pytest.raises(CommandExit):
        call_command("connect", "woocommerce", url=METADATA, name="x", no_read=True, **KEYS)
    assert "where a connection may not reach" in capsys.readouterr().out
