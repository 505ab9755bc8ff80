"""Test settings: the embedded ones in a data folder of their own. Set DATABASE_URL to run the suite on Postgres.

A process that a test starts with these has the test's date.
"""

import os
import tempfile

os.environ.setdefault("EVENSTOCK_DATA_DIR", tempfile.mkdtemp(prefix="evenstock-test-"))
os.environ.setdefault("EVENSTOCK_LOG_LEVEL", "WARNING")
os.environ.setdefault("EVENSTOCK_FOLDERS", f"exchange,till,{tempfile.gettempdir()}")

from config.settings.embedded import *  # noqa: F403
from tests import clock

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

clock.begin_here()
