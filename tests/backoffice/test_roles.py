"""Every page and action of the admin, as each role and as nobody. A model that is registered needs its line here."""

from itertools import pairwise

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models.signals import post_migrate
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from backoffice.roles import ROLES
from tests.browser.seed import shop_seed

LOGINS = ("nobody", "viewer", "manager", "lead", "administrator")
V, M, L, A, NEVER = 1, 2, 3, 4, 9  # the least of LOGINS that may

# Model: who may look (list, page, history), add, change, delete.
MODELS = {
    "admin.logentry": (A, NEVER, NEVER, NEVER),
    "alerts.alert": (V, NEVER, NEVER, NEVER),
    "alerts.channel": (V, L, L, L),
    "alerts.notification": (V, NEVER, NEVER, NEVER),
    "alerts.threshold": (V, L, L, L),
    "alignment.alignment": (V, M, M, L),
    "inventory.listing": (V, NEVER, NEVER, NEVER),
    "alignment.storelocation": (V, L, L, L),
    "auth.group": (A, A, A, A),
    "auth.user": (A, A, A, A),
    "axes.accessattempt": (A, NEVER, NEVER, A),
    "connectors.apicall": (V, NEVER, NEVER, NEVER),
    "connectors.connection": (V, A, A, A),
    "django_celery_beat.clockedschedule": (V, A, A, A),
    "django_celery_beat.crontabschedule": (V, A, A, A),
    "django_celery_beat.intervalschedule": (V, A, A, A),
    "django_celery_beat.periodictask": (V, A, A, A),
    "django_celery_beat.solarschedule": (V, A, A, A),
    "django_celery_results.groupresult": (A, A, A, A),
    "django_celery_results.taskresult": (A, A, A, A),
    "inventory.item": (V, NEVER, NEVER, NEVER),
    "inventory.location": (V, NEVER, L, NEVER),
    "inventory.movement": (V, NEVER, NEVER, NEVER),
    "inventory.stocklevel": (V, NEVER, NEVER, NEVER),
    "reporting.dailymetric": (V, NEVER, NEVER, NEVER),
    "reporting.reportdelivery": (V, NEVER, NEVER, NEVER),
    "reporting.reportmail": (V, L, L, L),
    "jobs.heartbeat": (V, NEVER, NEVER, NEVER),
    "sync.hookhealth": (V, NEVER, NEVER, NEVER),
    "sync.inboundevent": (V, NEVER, NEVER, NEVER),
    "jobs.jobslot": (V, NEVER, NEVER, NEVER),
    "sync.order": (V, NEVER, NEVER, NEVER),
    "sync.outboundwrite": (V, NEVER, NEVER, NEVER),
    "sync.pricepolicy": (V, L, L, L),
    "sync.pricereview": (V, NEVER, NEVER, NEVER),
    "sync.pricewrite": (V, NEVER, NEVER, NEVER),
    "sync.putoff": (V, NEVER, NEVER, NEVER),
    "sync.runproblem": (V, NEVER, NEVER, NEVER),
    "sync.syncconflict": (V, NEVER, NEVER, NEVER),
    "sync.synclog": (V, NEVER, NEVER, NEVER),
    "sync.syncpolicy": (V, L, L, L),
    "sync.syncrun": (V, NEVER, NEVER, NEVER),
    "sync.syncstate": (V, NEVER, NEVER, NEVER),
    "sync.tillfeed": (V, NEVER, NEVER, NEVER),
    "sync.tillprice": (V, NEVER, NEVER, NEVER),
}

# Actions of lists beside Django's own “delete”: who may, as the least login.
ACTIONS = {
    "alerts.alert": {"snooze": M, "assign": M, "resolve": M, "reopen": M},
    "alerts.notification": {"send_again": L},
    "alignment.alignment": {"confirm": M, "reject": M, "export": V},
    "connectors.connection": {"go_live": L, "observe": L},
    "django_celery_beat.periodictask": {"enable_tasks": A, "disable_tasks": A, "toggle_tasks": A, "run_tasks": A},
    "reporting.reportdelivery": {"send_again": L},
    "sync.inboundevent": {"process_again": M},
    "sync.outboundwrite": {"try_again": M},
    "sync.pricereview": {"approve": L, "reject": L},
    "sync.syncconflict": dict.fromkeys(("till_wins", "shop_wins", "keep_higher", "merge", "set_count", "leave", "note"), M),
}

# Views of our own: name → who may ask for it with GET, and who with POST.
VIEWS = {
    "index": (0, 0),
    "today_live": (V, V),
    "why": (V, NEVER),
    "inventory_item_why": (V, NEVER),
    "inventory_listing_why": (V, NEVER),
    "setup": (V, V),
    "setup_parts": (V, V),
    "setup_add": (A, A),
    "setup_connection": (V, A),
    "setup_sample": (A, A),
    "setup_columns": (A, A),
    "setup_read": (NEVER, M),
    "setup_shadow": (NEVER, M),
    "setup_report": (V, V),
    "setup_go_live": (L, L),
    "alerts_alert_handle": (M, M),
    "alerts_channel_test": (L, L),
    "alerts_threshold_export": (V, V),
    "alerts_threshold_import": (L, L),
    "alerts_threshold_import_preview": (L, L),
    "alignment_alignment_import": (M, M),
    "alignment_alignment_import_preview": (M, M),
    "alignment_alignment_review": (V, M),
    "connectors_connection_test": (A, A),
    "reporting_dailymetric_mail": (V, V),  # to oneself alone
    "reporting_dailymetric_report": (V, V),
    "sync_pricereview_decide": (L, L),
    "sync_syncconflict_settle": (M, M),
    "sync_syncconflict_settle_many": (M, M),
    "sync_syncrun_discard": (L, L),
    "sync_syncrun_new": (M, M),
    "sync_syncrun_release": (L, L),
    "sync_tillfeed_release": (L, L),
}
POSTED = {"alerts_channel_test", "reporting_dailymetric_mail", "connectors_connection_test", "sync_tillfeed_release"}
DJANGOS = {"login", "logout", "password_change", "password_change_done", "jsi18n", "autocomplete", "view_on_site", "app_list"}
STANDARD = ("changelist", "add", "history", "delete", "change")


@pytest.fixture
def clients(db) -> dict[str, Client]:
    shop_seed(now=timezone.now(), products=66)
    found = {}
    for login in LOGINS:
        found[login] = Client()
        found[login].force_login(User.objects.get(username=login), backend="django.contrib.auth.backends.ModelBackend")
    return found


def key_of(model) -> object:
    return model._default_manager.order_by("-pk").values_list("pk", flat=True).first()


def label(model) -> str:
    return model._meta.label_lower


def walk(clients, path: str, least: int, *, post: dict | None = None) -> list[str]:
    """What is wrong with that address: who gets in and shouldn't, and the other way round."""
    wrong = []
    for rank, (login, client) in enumerate(clients.items()):
        answer = client.get(path) if post is None else client.post(path, post)
        may, got_in = rank >= least, answer.status_code not in (403, 405)
        if may != got_in:
            wrong.append(f"{login} {'POST ' + str(post) if post is not None else 'GET'} {path}: {answer.status_code}")
    stranger = Client().get(path) if post is None else Client().post(path, post)
    if stranger.status_code != 302 or "/login/" not in stranger["Location"]:
        wrong.append(f"somebody not logged in {path}: {stranger.status_code}")
    return wrong


def test_every_registered_model_has_its_line():
    assert {label(model) for model in admin.site._registry} == set(MODELS)


def test_every_action_has_its_line():
    found = {label(model): {*(one.actions or ())} for model, one in admin.site._registry.items() if one.actions}
    named = {name: {one if isinstance(one, str) else one.__name__ for one in actions} for name, actions in found.items()}
    assert named == {name: set(actions) for name, actions in ACTIONS.items()}


def test_every_view_of_our_own_has_its_line():
    standard = {f"{m._meta.app_label}_{m._meta.model_name}_{one}" for m in admin.site._registry for one in STANDARD}
    histories = {f"{m._meta.app_label}_{m._meta.model_name}_simple_history" for m in admin.site._registry}
    named = {pattern.name for pattern in _patterns(admin.site.get_urls()) if pattern.name}
    django_auth = {"auth_user_password_change"}
    assert named - standard - histories - DJANGOS - django_auth == set(VIEWS)


def _patterns(urls) -> list[URLPattern]:
    return [one for url in urls for one in (_patterns(url.url_patterns) if hasattr(url, "url_patterns") else [url])]


@pytest.mark.every_database
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pages_open_for_those_who_may_and_for_nobody_else(clients):
    wrong = []
    for model in admin.site._registry:
        look, add, _, delete = MODELS[label(model)]
        key, base = key_of(model), f"admin:{model._meta.app_label}_{model._meta.model_name}_"
        wrong += walk(clients, reverse(f"{base}changelist"), look)
        wrong += walk(clients, reverse(f"{base}add"), add)
        if key is not None:
            wrong += walk(clients, reverse(f"{base}change", args=[key]), look)
            wrong += walk(clients, reverse(f"{base}history", args=[key]), look)
            wrong += walk(clients, reverse(f"{base}delete", args=[key]), delete)
    assert not wrong, "\n".join(wrong)


@pytest.mark.every_database
@pytest.mark.slow
def test_forms_are_taken_from_those_who_may_change_and_from_nobody_else(clients):
    wrong = []
    for model in admin.site._registry:
        change = MODELS[label(model)][2]
        key = key_of(model)
        if key is not None:
            path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[key])
            wrong += walk(clients, path, change, post={})
    assert not wrong, "\n".join(wrong)


@pytest.mark.every_database
@pytest.mark.slow
def test_actions_are_done_for_those_who_may_and_refused_to_everybody_else(clients):
    wrong = []
    for model in admin.site._registry:
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for action, least in ACTIONS.get(label(model), {}).items():
            wrong += walk(clients, path, least, post={"action": action, "index": 0, "_selected_action": [999_999]})
    assert not wrong, "\n".join(wrong)


def test_the_schedule_is_switched_off_by_administrators_only(clients):
    from django_celery_beat.models import PeriodicTask

    path = reverse("admin:django_celery_beat_periodictask_changelist")
    chosen = {"action": "disable_tasks", "index": 0, "_selected_action": [PeriodicTask.objects.filter(enabled=True).first().pk]}
    before = PeriodicTask.objects.filter(enabled=True).count()
    for login in ("viewer", "manager", "lead"):
        clients[login].post(path, chosen)
    assert PeriodicTask.objects.filter(enabled=True).count() == before
    clients["administrator"].post(path, chosen)
    assert PeriodicTask.objects.filter(enabled=True).count() == before - 1


@pytest.mark.every_database
@pytest.mark.slow
def test_views_of_our_own_open_for_those_who_may_and_for_nobody_else(clients):
    wrong = []
    for name, (look, send) in VIEWS.items():
        model = next((m for m in admin.site._registry if name.startswith(f"{m._meta.app_label}_{m._meta.model_name}_")), None)
        needs_key = name.endswith(("_settle", "_release", "_discard", "_test", "_handle", "_decide", "_why"))
        token = ["0" * 32] if name.endswith("_preview") else []
        verb = ["snooze"] if name == "alerts_alert_handle" else []
        given = [key_of(model) or 999_999, *verb] if needs_key else token
        path = reverse(f"admin:{name}", args=_setup_args(name) if name.startswith("setup_") else given)
        if name not in POSTED:
            wrong += walk(clients, path, look)
        if name == "connectors_connection_test":
            continue  # it asks the other end: tests/connectors/test_admin.py tries it
        wrong += walk(clients, path, send, post={})
    assert not wrong, "\n".join(wrong)


def _setup_args(name: str) -> list[object]:
    """What a page of Set-up is about: a kind, a till whose test needs no network, or the shop."""
    from connectors.models import Connection

    keys = {one.name: one.pk for one in Connection.objects.all()}
    till, shop = keys["high-street-till"], keys["web-shop"]
    return {
        "setup_parts": [], "setup_add": ["woocommerce"], "setup_connection": [till], "setup_sample": [till],
        "setup_columns": [till, "0" * 32],
    }.get(name, [shop])  # fmt: skip


def test_a_lead_sets_a_shop_live_after_being_asked_and_cannot_touch_its_keys(clients):
    from connectors.models import Connection

    shop = Connection.objects.get(name="web-shop")
    path = reverse("admin:connectors_connection_changelist")
    chosen = {"action": "observe", "index": 0, "_selected_action": [shop.pk]}
    assert b"nothing is written to web-shop" in clients["lead"].post(path, chosen).content
    assert Connection.objects.get(pk=shop.pk).mode == "live"
    clients["lead"].post(path, {**chosen, "sure": "yes"})
    assert Connection.objects.get(pk=shop.pk).mode == "observe"
    assert shop.history.first().history_user.username == "lead"
    page = reverse("admin:connectors_connection_change", args=[shop.pk])
    assert clients["lead"].post(page, {"credential__consumer_key": "ck_mine"}).status_code == 403


@pytest.mark.django_db
def test_each_role_may_what_the_one_before_it_may():
    held = [set(Group.objects.get(name=role).permissions.values_list("pk", flat=True)) for role in ROLES]
    assert all(less < more for less, more in pairwise(held))


@pytest.mark.django_db
def test_roles_are_put_right_by_the_next_migration_and_others_are_left_alone():
    from django.apps import apps
    from django.contrib.auth.models import Permission

    viewer, own = Group.objects.get(name="Viewer"), Group.objects.create(name="Warehouse")
    before = set(viewer.permissions.all())
    viewer.permissions.clear()
    own.permissions.add(Permission.objects.get(codename="start_run"))
    config = apps.get_app_config("backoffice")
    post_migrate.send(sender=config, app_config=config, verbosity=0, interactive=False, using="default", apps=apps, plan=[])
    assert set(viewer.permissions.all()) == before
    assert own.permissions.count() == 1


@pytest.mark.django_db
def test_a_viewer_sees_no_logins_and_changes_nothing():
    names = set(Group.objects.get(name="Viewer").permissions.values_list("content_type__app_label", "codename"))
    assert all(codename.startswith("view_") for _, codename in names)
    assert not {app for app, _ in names} & {"auth", "admin", "axes", "sessions", "django_celery_results"}
