"""A message that no task can be made of ends no worker: it is dropped, and the next one is worked on."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_odd_messages_are_dropped_and_the_worker_goes_on(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.jobs.odd_messages", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "[17] []\n", done.stderr
