import django.db.models.deletion

from django.db import migrations, models


class Migration(migrations.Migration):
    """Alerts point at the listings of inventory: the same rows."""

    dependencies = [("alerts", "0004_report_not_sent"), ("inventory", "0005_listing")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name='alert',
                    name='listing',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='inventory.listing'),
                ),
                migrations.AlterField(
                    model_name='historicalalert',
                    name='listing',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='inventory.listing'),
                ),
            ],
        ),
    ]
