"""What apps offer to pages and commands below them: found as apps are found, so that nobody imports upward (architecture.md)."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps


def offers(module: str, name: str) -> Iterator[Any]:
    """Result: `name` of each installed app's own `module`, in the order of the apps, where there is one."""
    for config in apps.get_app_configs():
        if find_spec(f"{config.name}.{module}"):
            found = getattr(import_module(f"{config.name}.{module}"), name, None)
            if found is not None:
                yield found
