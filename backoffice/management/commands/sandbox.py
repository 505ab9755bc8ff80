"""`manage.py sandbox …`: the pretend shop, in a process of its own. It knows nothing of us; we know nothing of it."""

import os
import sys
from typing import Any

from django.core.management.base import CommandParser

from backoffice.demo.needs import sandbox_check
from connectors.management.base import EvenstockCommand


class Command(EvenstockCommand):
    help = "Run the pretend shop: sandbox store|till|shop …; the same as python -m sandbox."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """None of ours: the pretend shop reads them itself."""

    def run_from_argv(self, argv: list[str]) -> None:
        self._words = argv[2:]
        super().run_from_argv(argv[:2])

    def handle(self, *_: Any, **__: Any) -> None:
        sandbox_check()
        os.execv(sys.executable, [sys.executable, "-m", "sandbox", *self._words])  # noqa: S606 - our own interpreter and module
