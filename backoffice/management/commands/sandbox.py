"""`manage.py sandbox …`: the pretend shop, in a process of its own. It knows nothing of us; we know nothing of it."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run the pretend shop: sandbox store|till|shop …; the same as python -m sandbox."

    def run_from_argv(self, argv: list[str]) -> None:
        os.execv(sys.executable, [sys.executable, "-m", "sandbox", *argv[2:]])  # noqa: S606 - our own interpreter and module

    def handle(self, *args: Any, **options: Any) -> None:
        os.execv(sys.executable, [sys.executable, "-m", "sandbox", *args])  # noqa: S606 - our own interpreter and module
