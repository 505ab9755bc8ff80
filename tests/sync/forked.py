"""`python -m tests.sync.forked`: runs management commands in processes that may be killed, without waiting for each to start.

Each line of standard input is a JSON list: a command with its arguments. The answer is a line with the process's id at once, and
one that says how it ended: its exit code, or −9.
"""

import json
import os
import sys

import django


def _child(arguments: list[str]) -> int:
    from django.core.management import execute_from_command_line

    sys.stdout = sys.stderr
    try:
        execute_from_command_line(["manage.py", *arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def main() -> None:
    """Answer until standard input ends."""
    django.setup()
    from django.core.management import call_command
    from django.db import connections

    import sync.turns.run  # noqa: F401 - loaded once, for all children

    call_command("migrate", verbosity=0)
    for line in sys.stdin:
        connections.close_all()
        arguments = json.loads(line)
        pid = os.fork()
        if not pid:
            code = 1
            try:
                code = _child(arguments)
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
