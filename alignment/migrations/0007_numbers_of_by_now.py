"""A listing's number follows what orders and writes have moved since it was read. Until now it was the reading alone: where that differs
from what it should show, nobody can tell an old number from an odd one any more. It is unknown until the next sync, which reads it."""

from django.db import migrations
from django.db.models import F


def old_numbers_forget(apps, schema_editor):
    known = apps.get_model("alignment", "Listing").objects.filter(quantity__isnull=False, baseline__isnull=False, suspect=None)
    known.exclude(quantity=F("baseline")).update(quantity=None)


class Migration(migrations.Migration):
    dependencies = [("alignment", "0006_came_back")]
    operations = [migrations.RunPython(old_numbers_forget, migrations.RunPython.noop, elidable=True)]
