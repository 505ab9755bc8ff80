"""`manage.py run`: web, worker and beat of one shop on one machine, until Ctrl-C."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS

from connectors.management.base import EvenstockCommand
from jobs.claims import folder_claim, port_check
from jobs.processes import Children, embedded_programs
from jobs.schedule import schedule_install


class Command(EvenstockCommand):
    help = "Serve the admin and work the schedule, all under this one command. Ctrl-C ends everything."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        folder_claim(settings.DATA_DIR)
        host = port_check(host=options["host"], port=options["port"])
        call_command("migrate", verbosity=0)
        self.check(databases=[DEFAULT_DB_ALIAS], tags=[Tags.database])  # what a connection lacks since an upgrade
        schedule_install()
        if not User.objects.filter(is_superuser=True, is_active=True).exists():
            self.stdout.write("Nobody can log in yet: make a login with manage.py createsuperuser, in another window.")
        with Children() as children:
            for program in embedded_programs(host=host, port=options["port"]):
                children.start(program)
            self.stdout.write(f"Evenstock is at http://{options['host']}:{options['port']}/ – Ctrl-C ends it.")
            children.keep(self.stderr.write)
