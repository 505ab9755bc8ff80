"""Case 42: no secret in any log, mail, page, traceback, task or row, even where something breaks with one in its hands."""

import inspect
import io
import logging

import pytest
from billiard.einfo import ExceptionInfo
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.test import Client, override_settings
from django_celery_results.models import TaskResult

from connectors.models import Connection
from connectors.services import CallLog, connection_open
from sync import tasks
from tests import factories as make
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
KEY, SECRET, HOOK = "ck_0123456789abcdef", "cs_fedcba9876543210", "whsec-0f1e2d3c4b5a6978"
SECRETS = (KEY, SECRET, HOOK)


@pytest.fixture
def shop() -> Connection:
    return make.store_connection(credentials={"consumer_key": KEY, "consumer_secret": SECRET, "webhook_secret": HOOK})


@pytest.fixture
def log():
    """What our own log would show of everything, in its own format."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter(settings.LOGGING["formatters"]["line"]["format"], style="{"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


def clean(*texts: object) -> bool:
    return not any(secret in str(text) for secret in SECRETS for text in texts)


def breaks(connection: Connection, *_args, **_named) -> None:
    """A view or service that fails while it holds every secret."""
    in_hand, parsed = dict(connection.credentials), connection.credentials_parsed()  # locals of a traceback
    assert in_hand
    raise RuntimeError(f"It broke while it held {parsed!r}")


@override_settings(ADMINS=[("Operator", "operator@example.com")], DEBUG=False)
def test_an_error_page_its_log_and_its_mail_hold_no_secret(shop, admin_user, monkeypatch, log):
    monkeypatch.setattr("connectors.admin.connections.connection_check", lambda **named: breaks(named["connection"]))
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    answer = client.post(f"/admin/connectors/connection/{shop.pk}/test/", {"credential__consumer_secret": SECRET})
    assert answer.status_code == 500
    mailed = [message.body + str(message.message()) for message in mail.outbox]
    assert len(mailed) == 1
    assert "credential__consumer_secret" in mailed[0]
    assert "It broke while it held" in log.getvalue()
    assert clean(answer.content.decode(), log.getvalue(), mailed)
    assert "RuntimeError" not in answer.content.decode()


def test_what_a_task_that_broke_leaves_behind_holds_no_secret(shop, log):
    try:
        breaks(shop)
    except RuntimeError as error:
        current_app.backend.mark_as_failure("t-1", error, traceback=str(ExceptionInfo().traceback))
    row = TaskResult.objects.get(task_id="t-1")
    assert "It broke while it held" in str(vars(row))
    assert clean(vars(row), log.getvalue())


def test_tasks_are_told_which_and_how_and_never_handed_more():
    ours = {name: task for name, task in current_app.tasks.items() if not name.startswith("celery.")}
    assert len(ours) >= 5
    for name, task in ours.items():
        for argument in inspect.signature(task.run).parameters.values():
            kind = str(argument.annotation)
            assert kind in ("<class 'int'>", "<class 'str'>", "<class 'bool'>", "int | None", "int", "str", "bool"), (
                name,
                argument,
            )
            assert not {"secret", "token", "key", "password"} & set(argument.name.split("_")), (name, argument)


def test_a_log_at_its_loudest_holds_no_secret(shop, log, settings):
    settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS = True
    Connection.objects.filter(pk=shop.pk).update(settings={"url": "http://127.0.0.1:9", "connect_timeout": 0.5})
    tasks.orders_poll(shop.pk)
    tasks.hooks_check(shop.pk)
    shop.refresh_from_db()
    assert shop.last_error
    assert log.getvalue()
    assert clean(log.getvalue(), shop.last_error)
    for model in apps.get_models(include_auto_created=True):
        assert clean(list(model._default_manager.exclude(pk=None).values_list())) or model is Connection, model


def test_a_connector_shows_no_secret_of_its_own(shop):
    connector = connection_open(connection=shop, log=CallLog(shop), now=lambda: NOW)
    assert clean(repr(connector), repr(shop.credentials_parsed()), str(shop.credentials_parsed()))


def test_the_address_of_a_request_carries_no_secret_into_the_log_of_the_web_server():
    """granian writes addresses down: nothing of ours takes a secret in one."""
    from django.urls import get_resolver

    from tests.reliability.addresses import _routes

    routes = list(_routes(get_resolver().url_patterns, ""))
    assert not [route for route in routes if any(word in route for word in ("secret", "password>", "key>"))]
