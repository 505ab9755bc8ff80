"""One shop on one machine, and the demo: SQLite and a broker made of files, no services (engine.md).

Secrets that production takes from the environment are made on first use and kept, readable by the owner only, in
`EVENSTOCK_DATA_DIR` (default `var/`).
"""

import os
import sys
from pathlib import Path

import dj_database_url
from django.core.management.utils import get_random_secret_key

from config.settings.base import *  # noqa: F403 - this is how Django settings extend each other
from config.settings.base import DATA_DIR, EVENSTOCK_FOLDERS, PUBLIC_HOSTS, STATIC_ROOT, env

try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    _is_usable = os.access(DATA_DIR, os.W_OK | os.X_OK)
except OSError:
    _is_usable = False
if not _is_usable:
    sys.exit(
        f"Evenstock can't keep its data in {DATA_DIR}. "
        "Set EVENSTOCK_DATA_DIR to a folder that it may make and write in, or give it the right to."
    )


if "exchange" in EVENSTOCK_FOLDERS:  # as delivered: where a till's files go
    (DATA_DIR / "exchange").mkdir(exist_ok=True)


def _kept_secret(name: str) -> str:
    """Result: the secret kept under that name, made on first use. Two processes starting at once agree on one."""
    path = DATA_DIR / name
    draft = Path(f"{path}.{os.getpid()}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(get_random_secret_key())
        try:
            os.link(draft, path)  # fails where the other process was first: then its secret counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


SECRET_KEY = env.str("EVENSTOCK_SECRET_KEY", default="") or _kept_secret("secret_key")
SALT_KEY = env.list("EVENSTOCK_SALT_KEYS", default=[]) or [_kept_secret("salt_key")]
ALLOWED_HOSTS = env.list("EVENSTOCK_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]) + PUBLIC_HOSTS
EVENSTOCK_ALLOW_PRIVATE_NETWORKS = env.bool("EVENSTOCK_ALLOW_PRIVATE_NETWORKS", default=True)

# Immediate transactions: with deferred ones 1,060 of 1,600 writes by four writers met a lock.
# Connections are kept: SQLite tidies up whenever the last one is closed, 15 ms of a webhook's 20.
DATABASES = {
    "default": dj_database_url.parse(
        env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'evenstock.sqlite3'}"), conn_max_age=60, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;",
    }

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # no collectstatic step on a laptop
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

# It may lose a wake-up, never a row: the sweeper asks again each minute.
_BROKER = DATA_DIR / "broker"
for _folder in ("queue", "control"):
    (_BROKER / _folder).mkdir(parents=True, exist_ok=True)
CELERY_BROKER_URL = "filesystem://localhost"
CELERY_BROKER_TRANSPORT = "jobs.broker:Transport"  # Celery's own leaves half a message where a disk is full, and ends with it
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(_BROKER / "queue"),
    "data_folder_out": str(_BROKER / "queue"),
    "control_folder": str(_BROKER / "control"),
}
