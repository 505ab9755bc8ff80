"""`manage.py demo`: a pretend shop brought into step, then served while it goes on selling."""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandParser

from alignment.models import Alignment
from backoffice.demo.needs import sandbox_check
from backoffice.demo.shop import ALIGNMENT, shop_start, shop_verify
from connectors.errors import ConfigError
from connectors.management.base import EvenstockCommand
from connectors.models import Connection
from inventory.models import Item, Listing
from jobs.claims import LOCK, folder_claim, port_check
from jobs.processes import Children, embedded_programs
from jobs.schedule import schedule_install
from sync.models import OutboundWrite

MARK = ".evenstock-demo"
CLAIM = "EVENSTOCK_DEMO_CLAIM"  # the open file that holds the claim on the folder, for this very command begun again in it
HOST = "127.0.0.1"
LOGIN = "demo"
CUSTOMERS_PER_MINUTE = 30
SYNC_EVERY_SECONDS = 20


class Command(EvenstockCommand):
    help = "Show the main job on a pretend shop of 2,554 items, in a data folder of its own; then serve the admin until Ctrl-C."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Don't serve; end with one line of JSON.")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        sandbox_check()
        if (claim := os.environ.pop(CLAIM, "")) == "":
            self._again_in_its_own_folder(port=options["port"], is_served=not options["once"])
        os.set_inheritable(int(claim), False)  # noqa: FBT003 - it goes with this process, whoever outlives it
        began = time.monotonic()
        folder = settings.DATA_DIR / "exchange"
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

    def _again_in_its_own_folder(self, *, port: int, is_served: bool) -> NoReturn:
        """Start over in an empty data folder of the demo's own: nobody's shop is touched by it, and no other demo."""
        folder = _demo_folder(settings.DATA_DIR)
        claim = folder_claim(folder)
        if is_served:
            port_check(host=HOST, port=port)
        _make_empty(folder)
        os.set_inheritable(claim, True)  # noqa: FBT003 - the standard library's
        environment = {**os.environ, **_demo_environment(folder, port), CLAIM: str(claim)}
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
        for program in embedded_programs(host=HOST, port=port):
            children.start(program)
        self.stdout.write(
            f"\nThe shop is open: http://{HOST}:{port}/admin/ – name “{LOGIN}”, password “{LOGIN}”.\n"
            f"Customers buy at the till and online; every {SYNC_EVERY_SECONDS} seconds both are brought into step.\n"
            "Ctrl-C ends it all."
        )
        if ended := children.keep(self.stderr.write):
            self.stderr.write(f"The {ended} ended by itself, and all that was sold in it is gone: the demo ends. Start it again.")
            sys.exit(1)


def _demo_folder(data: Path) -> Path:
    """Result: the demo's folder, made; `data` itself where that is a demo's already. Raises ConfigError where something else
    lies there."""
    folder = data.resolve() if (data / MARK).exists() else data.resolve() / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MARK).exists() and any(path.name != LOCK for path in folder.iterdir()):
        raise ConfigError(
            f"{folder} holds something that is no demo's, so the demo leaves it alone.",
            next_step="Move it away, or set EVENSTOCK_DATA_DIR to another folder.",
        )
    return folder


def _make_empty(folder: Path) -> None:
    """Throw a former demo away. The claim's file stays, or another demo could claim the folder beside it."""
    (folder / MARK).touch()
    for path in folder.iterdir():
        if path.name in (LOCK, MARK):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _demo_environment(folder: Path, port: int) -> dict[str, str]:
    """Result: what the demo sets, and all of it."""
    return {
        "EVENSTOCK_DATA_DIR": str(folder),
        "EVENSTOCK_FOLDERS": "exchange",
        "EVENSTOCK_LOG_LEVEL": "WARNING",
        "EVENSTOCK_PUBLIC_URL": f"http://{HOST}:{port}",  # where the pretend shop's webhooks go
    }
