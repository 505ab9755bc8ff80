"""`manage.py connect KIND …`: make or change a connection, test it, and read it once."""

import os
from getpass import getpass
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connectors.contract import Side
from connectors.errors import ConfigError
from connectors.management.base import CommandExit, EvenstockCommand, Exit, connections_of
from connectors.models import Connection, Mode
from connectors.registry import KINDS, kind_get
from connectors.services import connection_check, connection_save
from sync.management.progress import shown_progress
from sync.models import SyncRun
from sync.schedule import schedule_install
from sync.services.hooks import hooks_check
from sync.services.runs import run_sync

MARKS = {"ok": "✓", "warn": "▲", "bad": "✗"}
OPTIONS = {"consumer_key": "key", "consumer_secret": "secret", "token": "secret"}  # which option gives which credential


class Command(EvenstockCommand):
    help = (
        "Connect a store or a till: connect woocommerce --url https://shop.example --key ck_… --secret cs_… | "
        "connect pos_csv --folder /path/to/exports | connect rest_pos --url https://till.example --secret TOKEN. "
        "Run again with the same name to change it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("--name", default="", help="Its name in commands and screens (default: store or till).")
        parser.add_argument("--mode", choices=Mode.values, default="", help="observe: never write. live: write what is owed.")
        parser.add_argument("--url", default="", help="The address of the shop, or of the till's API.")
        parser.add_argument("--key", default="", help="Consumer key (or set EVENSTOCK_CONSUMER_KEY).")
        parser.add_argument(
            "--secret",
            default="",
            help="Consumer secret, or a till's token (or set EVENSTOCK_CONSUMER_SECRET or EVENSTOCK_TOKEN, or be asked).",
        )
        parser.add_argument("--folder", default="", help="Where the till drops its exports.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="Any other setting of the kind, once for each: --set encoding=cp1252 --set number_format=1.234,50. "
            "The pages under docs/connectors/ list them all.",
        )
        parser.add_argument("--time-zone", default="", help="Such as Europe/Vienna.")
        parser.add_argument("--currency", default="", help="Such as EUR; read from the shop where it says.")
        parser.add_argument("--no-read", action="store_true", help="Only save and test; don't read the catalogue yet.")

    def handle(self, *args: Any, **options: Any) -> None:
        kind = kind_get(options["kind"])
        side = kind.capabilities.side
        name = options["name"] or ("till" if side == Side.POS else "store")
        exists = Connection.objects.filter(name=name).exists()
        # A till is only told what was sold online; a store's numbers are what customers see: they wait for a go.
        mode = options["mode"] or ("" if exists else Mode.LIVE if side == Side.POS else Mode.OBSERVE)
        connection = connection_save(
            name=name,
            kind=kind.name,
            settings_given=self._settings(options, set(kind.settings.model_fields)),
            credentials=self._credentials(options, set(kind.credentials.model_fields), exists=exists),
            mode=mode,
            time_zone=options["time_zone"],
            currency=options["currency"],
        )
        self.stdout.write(f"Saved “{connection.name}” ({kind.label}, {connection.mode}).")
        self._check(connection)
        if kind.capabilities.webhooks:
            self.stdout.write(f"  {hooks_check(store=connection, now=timezone.now).message}")
        schedule_install()
        if not options["no_read"]:
            self._read(connection)
        if side == Side.STORE and not connection.is_live:
            self.stdout.write(
                f"“{name}” is in observe mode: Evenstock reads, plans and reports, and never writes. "
                f"To go live: manage.py connect {kind.name} --name {name} --mode live"
            )

    def _settings(self, options: dict[str, Any], known: set[str]) -> dict[str, Any]:
        given = {name: options[name] for name in ("url", "folder") if options[name]}
        for pair in options["set"]:
            name, equals, value = pair.partition("=")
            if not equals:
                raise ConfigError(f"“{pair}” is no setting.", next_step="Write --set name=value.")
            given[name] = value
        if unknown := sorted(set(given) - known):
            raise ConfigError(f"There is no setting {', '.join(unknown)}.", next_step=f"Use one of: {', '.join(sorted(known))}.")
        return given

    def _credentials(self, options: dict[str, Any], known: set[str], *, exists: bool) -> dict[str, str]:
        given: dict[str, str] = {}
        for name, option in OPTIONS.items():
            if name not in known:
                continue
            value = options[option] or os.environ.get(f"EVENSTOCK_{name.upper()}", "")
            if not value and not exists and self.stdin_is_a_person():
                value = getpass(f"{name.replace('_', ' ').capitalize()}: ")
            if value:
                given[name] = value
        if "webhook_secret" in known and (secret := os.environ.get("EVENSTOCK_WEBHOOK_SECRET", "")):
            given["webhook_secret"] = secret  # made by hooks_check where nobody names one
        return given

    @staticmethod
    def stdin_is_a_person() -> bool:
        """Can somebody be asked?"""
        return os.isatty(0)

    def _check(self, connection: Connection) -> None:
        report = connection_check(connection=connection, now=timezone.now)
        for finding in report.findings:
            self.stdout.write(f"  {MARKS[finding.tone]} {finding.message}")
            if finding.next_step:
                self.stdout.write(f"    → {finding.next_step}")
        if not report.ok:
            raise CommandExit(
                Exit.FAILED,
                f"“{connection.name}” is saved, but does not work yet. Correct what is marked ✗ and run connect again.",
            )

    def _read(self, connection: Connection) -> None:
        """Read the catalogue of a shop whose till is known, so that an alignment can be imported at once."""
        stores = [connection] if connection.side == Side.STORE else connections_of(side=Side.STORE)
        if not stores or not connections_of(side=Side.POS):
            return
        for store in stores:
            with shown_progress(self.stdout) as progress:
                run = run_sync(
                    store=store, kind=SyncRun.Kind.FULL, now=timezone.now, read_only=True, progress=progress, may_wait=False
                )
            counts = run.counts
            self.stdout.write(f"Read “{store.name}”: {counts.get('listings', 0):,} listings, {counts.get('items', 0):,} items.")
            if run.state == SyncRun.State.FAILED:
                raise CommandExit(Exit.FAILED, run.message)
