"""`manage.py demo`: a pretend shop brought into step, then served while it goes on selling."""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from alignment.models import Alignment, Listing
from connectors.models import Connection
from inventory.models import Item
from sync.management.demo import ALIGNMENT, shop_start, shop_verify
from sync.management.processes import Children, embedded_programs
from sync.models import OutboundWrite
from sync.schedule import schedule_install

MARK = ".evenstock-demo"
LOGIN = "demo"
CUSTOMERS_PER_MINUTE = 30
SYNC_EVERY_SECONDS = 20


class Command(BaseCommand):
    help = "Show the main job on a pretend shop of 2,554 items, in a data folder of its own; then serve the admin until Ctrl-C."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Don't serve; end with one line of JSON.")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DATA_DIR / MARK).exists():
            self._again_in_its_own_folder(options["port"])
        began = time.monotonic()
        folder = settings.DATA_DIR / "till"
        with Children() as children:
            shop = shop_start(children, folder=folder)
            call_command("migrate", verbosity=0)
            User.objects.create_superuser(LOGIN, password=LOGIN)
            export = folder / shop.export()
            said = export.read_bytes()  # kept: the run takes the file away
            self._connect(shop)
            call_command("import_alignment", str(ALIGNMENT))
            call_command("inventory_sync", "--full")
            (settings.DATA_DIR / "export.csv").write_bytes(said)
            verdict = shop_verify(shop, export=settings.DATA_DIR / "export.csv")
            result = self._result(converged=verdict.converged, seconds=time.monotonic() - began)
            if not verdict.converged:
                self.stderr.write(f"Of {verdict.compared} pairs these are wrong: {', '.join(verdict.wrong[:20])}")
            if options["once"]:
                self.stdout.write(json.dumps(result))
            else:
                shop.open_doors(customers_per_minute=CUSTOMERS_PER_MINUTE)
                self._serve(children, port=options["port"])
        if not verdict.converged:
            sys.exit(1)

    def _again_in_its_own_folder(self, port: int) -> None:
        """Start over in an empty data folder of the demo's own: nobody's shop is touched by it."""
        folder = Path(settings.BASE_DIR) / "var" / "demo"
        if (folder / MARK).exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        (folder / MARK).touch()
        environment = {**os.environ, "EVENSTOCK_DATA_DIR": str(folder), "EVENSTOCK_LOG_LEVEL": "WARNING"}
        environment["EVENSTOCK_PUBLIC_URL"] = f"http://127.0.0.1:{port}"  # where the pretend shop's webhooks go
        environment.pop("DATABASE_URL", None)
        os.chdir(settings.BASE_DIR)
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - this very command again

    def _connect(self, shop: Any) -> None:
        call_command("connect", "pos_csv", "--folder", str(shop.folder), "--set", "stable_seconds=0")
        os.environ["EVENSTOCK_CONSUMER_KEY"], os.environ["EVENSTOCK_CONSUMER_SECRET"] = shop.key, shop.secret
        call_command("connect", "woocommerce", "--url", shop.store_url, "--mode", "live", "--set", "settle_seconds=5")

    @staticmethod
    def _result(*, converged: bool, seconds: float) -> dict[str, Any]:
        return {
            "items": Item.objects.count(),
            "listings": Listing.objects.count(),
            "aligned": Alignment.objects.filter(status=Alignment.Status.CONFIRMED).count(),
            "writes": OutboundWrite.objects.filter(
                state=OutboundWrite.State.APPLIED, connection__in=Connection.objects.filter(kind="woocommerce")
            ).count(),
            "converged": converged,
            "seconds": round(seconds, 1),
        }

    def _serve(self, children: Children, *, port: int) -> None:
        schedule_install(incremental_every_seconds=SYNC_EVERY_SECONDS)
        for program in embedded_programs(host="127.0.0.1", port=port):
            children.start(program)
        self.stdout.write(
            f"\nThe shop is open: http://127.0.0.1:{port}/admin/ – name “{LOGIN}”, password “{LOGIN}”.\n"
            f"Customers buy at the till and online; every {SYNC_EVERY_SECONDS} seconds both are brought into step.\n"
            "Ctrl-C ends it all."
        )
        if ended := children.wait():
            self.stderr.write(f"{ended} ended by itself; ending the others. Its last lines above say why.")
            sys.exit(1)
