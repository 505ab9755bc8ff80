"""The four roles, and what each may do (docs/roles.md). Each holds what the one before it holds."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.db.models import Q

VIEWER, MANAGER, LEAD, ADMINISTRATOR = "Viewer", "Store manager", "Lead", "Administrator"
ROLES = (VIEWER, MANAGER, LEAD, ADMINISTRATOR)

# Whose pages everybody with a role may look at. Logins, roles and what people did are the administrator's.
SEEN = ("jobs", "connectors", "inventory", "alignment", "sync", "alerts", "reporting", "django_celery_beat")

MANAGES = (
    "sync.resolve_conflict",
    "sync.start_run",
    "sync.retry_write",
    "sync.retry_event",
    "alignment.add_alignment",
    "alignment.change_alignment",
    "alerts.handle_alert",
)
LEADS = (
    "sync.release_run",
    "sync.decide_price",
    *(f"sync.{verb}_{model}" for verb in ("add", "change", "delete") for model in ("syncpolicy", "pricepolicy")),
    *(f"reporting.{verb}_reportmail" for verb in ("add", "change", "delete")),
    *(f"alerts.{verb}_{model}" for verb in ("add", "change", "delete") for model in ("threshold", "channel")),
    "alerts.test_channel",
    "alignment.delete_alignment",
    *(f"alignment.{verb}_storelocation" for verb in ("add", "change", "delete")),
    "inventory.change_location",
    "connectors.go_live",
)


def roles_install(*, app_config: Any, using: str, apps: Apps = installed, **_: Any) -> None:
    """Make the roles hold exactly what they should, as far as the permissions are there yet. Called after each app's migration:
    a model that a later version brings is in its roles then, too; and after a flush, which names no apps. Own roles beside
    these four are never touched."""
    if app_config.name != "backoffice":
        return
    try:
        group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return
    for name, wanted in _contents(permission.objects.using(using)):
        role, _created = group.objects.using(using).get_or_create(name=name)
        role.permissions.set(wanted)


def _contents(permissions: Any) -> Iterable[tuple[str, Any]]:
    """Result: each role's name and its permissions."""
    looks = Q(content_type__app_label__in=SEEN, codename__startswith="view_")
    manages = looks | _named(MANAGES)
    leads = manages | _named(LEADS)
    return ((VIEWER, permissions.filter(looks)), (MANAGER, permissions.filter(manages)), (LEAD, permissions.filter(leads)),
            (ADMINISTRATOR, permissions.all()))  # fmt: skip


def _named(names: Iterable[str]) -> Q:
    wanted = Q(pk__in=())
    for name in names:
        app, codename = name.split(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    return wanted
