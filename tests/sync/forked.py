"""`python -m tests.sync.forked`: runs management commands in processes that may be killed, without waiting for each to start.

Each line of standard input is a JSON list: a command with its arguments, and after how many seconds to kill it (null: never).
The answer is a line that says how it ended: its exit code, or −9.
"""

import json
import os
import signal
import sys
import time

import django


def _child(arguments: list[str]) -> int:
    from django.core.management import execute_from_command_line

    sys.stdout = sys.stderr
    try:
        execute_from_command_line(["manage.py", *arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _ended(pid: int, kill_after: float | None) -> int:
    if kill_after is None:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    end = time.monotonic() + kill_after
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Answer until standard input ends."""
    django.setup()
    from django.core.management import call_command
    from django.db import connections

    import sync.services.runs  # noqa: F401 - loaded once, for all children

    call_command("migrate", verbosity=0)
    for line in sys.stdin:
        connections.close_all()
        arguments, kill_after = json.loads(line)
        pid = os.fork()
        if not pid:
            code = 1
            try:
                code = _child(arguments)
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(_ended(pid, kill_after), flush=True)


if __name__ == "__main__":
    main()
