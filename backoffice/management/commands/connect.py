"""`manage.py connect KIND …`: make or change a connection, test it, and read it once."""

import os
from collections.abc import Iterable
from getpass import getpass, getuser
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connectors.contract import Kind, Side
from connectors.errors import ConfigError
from connectors.management.base import CommandExit, EvenstockCommand, Exit
from connectors.models import Connection, Mode
from connectors.registry import KINDS, LABELS, kind_get
from connectors.selectors import SIDE_WORDS, connections_of
from connectors.services import connection_check, connection_draft, connection_keep, connection_try, credentials_after
from connectors.settings.origins import Fields
from jobs.schedule import schedule_install
from sync.management.progress import shown_progress
from sync.models import SyncRun
from sync.stores.hooks import hooks_check
from sync.turns.run import run_sync

MARKS = {"ok": "✓", "warn": "▲", "bad": "✗"}
OPTIONS = {"consumer_key": "key", "consumer_secret": "secret", "token": "secret"}  # which option gives which credential


class Command(EvenstockCommand):
    help = (
        "Connect a store or a till: connect woocommerce --url https://shop.example --key ck_… --secret cs_… | "
        "connect pos_csv --folder /path/to/exports | connect rest_pos --url https://till.example --secret TOKEN. "
        "It is tested first, and saved where the test is good. --replace changes the connection of that name. "
        "Exit codes: 0 connected, 1 refused or the test failed (then nothing was saved)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("--name", default="", help="Its name in commands and screens (default: store or till).")
        parser.add_argument(
            "--replace", action="store_true", help="Change the connection of that name, if there is one; what isn't named stays."
        )
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
        parser.add_argument("--no-read", action="store_true", help="Only test and save; don't read the catalogue yet.")

    def handle(self, *args: Any, **options: Any) -> None:
        kind = kind_get(options["kind"])
        side = kind.capabilities.side
        name = options["name"] or ("till" if side == Side.POS else "store")
        before = Connection.objects.filter(name=name).first()
        if before and not options["replace"]:
            raise ConfigError(
                f"“{name}” is connected already ({before.get_kind_display()}). Nothing was changed.",
                next_step=f"To change it, add --replace. To connect another {SIDE_WORDS[side]}, name it: --name NAME.",
            )
        settings_given = self._settings(options, set(kind.settings.model_fields))
        # A till is only told what was sold online; a store's numbers are what customers see: they wait for a go.
        mode = options["mode"] or ("" if before else Mode.LIVE if side == Side.POS else Mode.OBSERVE)
        credentials = self._credentials(options, kind, before, settings_given)
        connection = connection_draft(
            name=name,
            kind=kind.name,
            settings_given=settings_given,
            credentials=credentials,
            mode=mode,
            time_zone=options["time_zone"],
            currency=options["currency"],
        )
        self._keep(connection, before)
        if before:
            kept = credentials_after(connection=before, settings_given=settings_given, typed=credentials)
            Fields(kind.settings, kind.credentials).note_moved(
                kept.moved, system=name, by=f"the connect command, run by {getuser()}"
            )
        if kind.capabilities.webhooks:
            self.stdout.write(f"  {hooks_check(store=connection, now=timezone.now).message}")
        schedule_install()
        if not options["no_read"]:
            self._read(connection)
        if side == Side.STORE and not connection.is_live:
            self.stdout.write(
                f"“{name}” is in observe mode: Evenstock reads, plans and reports, and never writes. "
                f"To go live: manage.py connect {kind.name} --name {name} --replace --mode live"
            )

    def _keep(self, draft: Connection, before: Connection | None) -> None:
        """Test it, and save it where the test is good. Whoever stops a connection from writing, and changes nothing of how it is
        reached, need not wait for the other end: that is saved first."""
        is_brake = before is not None and before.mark() == draft.mark() and not draft.is_live
        if is_brake:
            connection_keep(draft=draft)
            report = connection_check(connection=draft, now=timezone.now)
        else:
            report = connection_try(draft=draft, now=timezone.now)
        for finding in report.findings:
            self.stdout.write(f"  {MARKS[finding.tone]} {finding.message}")
            if finding.next_step:
                self.stdout.write(f"    → {finding.next_step}")
        if report.ok or is_brake:
            self.stdout.write(f"Saved “{draft.name}” ({LABELS[draft.kind]}, {draft.mode}).")
        if not report.ok:
            said = "it does not work now" if is_brake else "it does not work like this: nothing was saved, and nothing changed"
            raise CommandExit(Exit.FAILED, f"“{draft.name}”: {said}. Correct what is marked ✗ and run connect again.")

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

    def _credentials(
        self, options: dict[str, Any], kind: Kind, before: Connection | None, settings_given: dict[str, Any]
    ) -> dict[str, str]:
        known = kind.credentials.model_fields
        given = {
            name: value
            for name, option in OPTIONS.items()
            if name in known and (value := options[option] or os.environ.get(f"EVENSTOCK_{name.upper()}", ""))
        }
        if "webhook_secret" in known and (secret := os.environ.get("EVENSTOCK_WEBHOOK_SECRET", "")):
            given["webhook_secret"] = secret  # made by hooks_check where nobody names one
        lacking: Iterable[str] = OPTIONS
        if before:
            lacking = credentials_after(connection=before, settings_given=settings_given, typed=given).asked
        if self.stdin_is_a_person():
            asked = [name for name in lacking if name in known and name not in given]
            given |= {name: getpass(f"{name.replace('_', ' ').capitalize()}: ") for name in asked}
        return {name: value for name, value in given.items() if value}

    @staticmethod
    def stdin_is_a_person() -> bool:
        """Can somebody be asked?"""
        return os.isatty(0)

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
