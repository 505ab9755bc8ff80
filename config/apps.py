"""Who may come in, as an app of its own in the admin."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "config"
    verbose_name = "Access"
