"""What all commands share: choosing a connection, exit codes, and errors in the owner's words."""

import sys
from enum import IntEnum
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, ProgrammingError

from connectors.contract import Side
from connectors.models import Connection
from connectors.selectors import connection_named, connection_only
from kit.errors import ToldError


class Exit(IntEnum):
    """What a command's exit code tells the shell."""

    OK = 0
    FAILED = 1  # nothing could be done
    PARTIAL = 3  # the good part was done, the rest was said
    REFUSED = 4  # another run is at it
    STOPPED = 130  # Ctrl-C


class CommandExit(Exception):  # noqa: N818 - an exit code of 3 is no error
    """Ends a command with this exit code and message. Not a CommandError: Django would put the class's name before it."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class EvenstockCommand(BaseCommand):
    """A command for a shop owner. `handle` raises ToldError or CommandExit; both end in a message and an exit code,
    never in a traceback. `--connection` is there for all; `connection_side` narrows it."""

    connection_side: Side | None = None
    connection_help = "The connection's name; may be left out where there is only one."
    writes = False  # True adds --dry-run

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", default="", metavar="NAME", help=self.connection_help)
        if self.writes:
            parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")

    def chosen(self, name: str, *, side: Side, option: str = "--connection") -> Connection:
        """Result: the connection of that name, or the only one of that side where no name is given. Raises ConfigError."""
        return connection_named(name, side=side) if name else connection_only(side=side, option=option)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except ToldError as error:
            raise CommandExit(Exit.FAILED, "\n".join(filter(None, [error.message, error.next_step]))) from error
        except OperationalError as error:
            if "no such table" in str(error) or "does not exist" in str(error):
                raise CommandExit(Exit.FAILED, "The database isn't set up yet.\nRun: manage.py migrate") from error
            raise
        except ProgrammingError as error:  # what Postgres says of a missing table
            raise CommandExit(Exit.FAILED, f"The database isn't as it should be: {error}\nRun: manage.py migrate") from error
        except KeyboardInterrupt:
            raise CommandExit(Exit.STOPPED, "Stopped. Nothing is lost: the next run takes up what this one left.") from None

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandExit as end:
            if end.message:
                # A failure in red, anything else as it is.
                style = self.style.ERROR if end.code in (Exit.FAILED, Exit.REFUSED) else None
                self.stderr.write(end.message, style or (lambda text: text))
            sys.exit(end.code)
