"""Test settings: the embedded ones in a data folder of their own. Set DATABASE_URL to run the suite on Postgres."""

import os
import tempfile

os.environ.setdefault("EVENSTOCK_DATA_DIR", tempfile.mkdtemp(prefix="evenstock-test-"))
os.environ.setdefault("EVENSTOCK_LOG_LEVEL", "WARNING")

from config.settings.embedded import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
