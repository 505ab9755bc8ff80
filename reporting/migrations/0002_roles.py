"""The four roles. What they may do is filled in after the migration, when Django has made the permissions: backoffice/roles.py."""

from django.db import migrations

ROLES = ("Viewer", "Store manager", "Lead", "Administrator")


def make(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name in ROLES:
        groups.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("reporting", "0001_daily_metrics"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop, elidable=True)]
