"""Celery only wakes; the rows are the truth (design.md §5). Settings and their reasons: config/settings/base.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

app = Celery("evenstock")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
