"""A row of everything the admin shows, with markup in every text that could have come from outside."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AbstractUser
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from connectors.models import Connection
from tests.admin_pages import EVIL
from tests.ledger import keeping

# What the database demands beyond a field's type.
DEMANDS: dict[str, dict[str, Any]] = {
    "connectors.Connection": {"kind": "woocommerce", "settings": {"url": "https://shop.example"}, "credentials": {}},
    "django_celery_beat.CrontabSchedule": {"minute": "5"},
    "django_celery_beat.IntervalSchedule": {"every": 7, "period": "days"},
    "django_celery_beat.SolarSchedule": {"event": "sunset", "latitude": 1, "longitude": 1},
    "django_celery_beat.PeriodicTask": {
        "crontab": None,
        "solar": None,
        "clocked": None,
        "args": "[]",
        "kwargs": "{}",
        "headers": "{}",
    },
    "sync.SyncConflict": {"resolved_at": None, "resolution": "", "resolved_by": None},
    "sync.SyncPolicy": {"item": None, "minor_to": None, "major_to": None},
    "sync.SyncRun": {"preview": [], "held_for": [EVIL], "counts": {EVIL: 3}, "state": "held"},
    "sync.TillFeed": {"state": "held", "held_for": [EVIL]},
}
_NUMBERS = (models.IntegerField, models.DecimalField, models.FloatField)


def every_row() -> dict[type[models.Model], models.Model]:
    """Result: by model of the admin, one row of it. The till and the store are of their own kind."""
    made: dict[type[models.Model], models.Model] = {}
    Connection.objects.create(name="till", kind="pos_csv", settings={"folder": "till"})
    for model in admin.site._registry:
        _row(model, made)
    return {model: made[model] for model in admin.site._registry}


def _row(model: type[models.Model], made: dict[type[models.Model], models.Model]) -> models.Model:
    if model not in made:
        given = DEMANDS.get(model._meta.label, {})
        values = {
            field.name: given[field.name] if field.name in given else _value(field, made)
            for field in model._meta.concrete_fields
            if not field.primary_key and (field.name in given or not field.generated)
        }
        with keeping():
            made[model] = _kept(model, {name: value for name, value in values.items() if value is not models.NOT_PROVIDED})
    return made[model]


def _kept(model: type[models.Model], values: dict[str, Any]) -> models.Model:
    """Result: a row that the database takes: with all it may point at, or without one or all of what it need not."""
    loose = [field.name for field in model._meta.concrete_fields if field.is_relation and field.null and field.name in values]
    without = [[], *([name] for name in loose), *([other for other in loose if other != name] for name in loose), loose]
    for names in without:
        try:
            with transaction.atomic():
                return model._default_manager.create(**{**values, **dict.fromkeys(names)})
        except IntegrityError as error:
            why = error
    raise AssertionError(f"Say in tests/reliability/rows.py what a row of {model._meta.label} must hold: {why}")


def _value(field: Any, made: dict[type[models.Model], models.Model]) -> Any:
    if field.is_relation:
        if field.related_model is field.model:
            return None
        return _row(field.related_model, made)
    if field.choices:
        return models.NOT_PROVIDED if field.has_default() else next(value for value, _ in field.flatchoices if value != "")
    if isinstance(field, models.SlugField):
        return "shop"
    if isinstance(field, (models.CharField, models.TextField)):
        text = "password" if issubclass(field.model, AbstractUser) and field.name == "password" else EVIL
        return text[: field.max_length]
    if isinstance(field, models.JSONField) and not field.has_default():
        return {EVIL: EVIL}
    if field.has_default() or getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
        return models.NOT_PROVIDED
    if field.null:
        return None
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return timezone.now().date()
    if isinstance(field, _NUMBERS):
        return 1
    raise AssertionError(f"Say in tests/reliability/rows.py what {field} may hold.")
