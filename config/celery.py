"""Celery only wakes; the rows are the truth (engine.md). Settings and their reasons: config/settings/queue.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

app = Celery("evenstock", task_cls="jobs.tasks:SlotTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

from jobs import watch  # noqa: E402, F401 - connects to the worker's signals
