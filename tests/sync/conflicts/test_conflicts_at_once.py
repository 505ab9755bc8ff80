"""Two people settle the same conflicts at the same moment: each is settled once, by one of them, and the other is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sync.at_once import conflicts_make, many_by_one_of_three, one_by_one_of_two


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_on_postgres_each_is_settled_once_and_the_others_are_told():
    conflicts = conflicts_make()
    one_by_one_of_two(conflicts)
    many_by_one_of_three(conflicts[1:])


def test_on_a_database_file_each_is_settled_once_and_the_others_are_told(tmp_path):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "EVENSTOCK_DATA_DIR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "tests.sync.on_a_file"]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
