from django.db import migrations


class Migration(migrations.Migration):
    """The schedule's rows belong to an app of their own. The tables are only renamed: nothing is copied."""

    dependencies = [("sync", "0016_things_set_aside")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AlterModelTable("JobSlot", "jobs_jobslot"),
                migrations.AlterModelTable("Heartbeat", "jobs_heartbeat"),
            ],
            state_operations=[migrations.DeleteModel("JobSlot"), migrations.DeleteModel("Heartbeat")],
        )
    ]
