"""`manage.py install_schedule`: give every job its row in the schedule. Beat does the same by itself, once a minute."""

from typing import Any

from django.core.management.base import BaseCommand

from jobs.schedule import schedule_install
from kit.words import counted


class Command(BaseCommand):
    help = "Add the jobs that are missing from the schedule. What was changed in the admin stays."

    def handle(self, *args: Any, **options: Any) -> None:
        added = schedule_install()
        self.stdout.write(f"{counted(added, 'job was', 'jobs were')} added." if added else "Every job is there.")
