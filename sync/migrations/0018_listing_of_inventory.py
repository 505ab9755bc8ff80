import django.db.models.deletion

from django.db import migrations, models


class Migration(migrations.Migration):
    """The engine's rows point at the listings of inventory: the same rows."""

    dependencies = [("sync", "0017_schedule_in_jobs"), ("inventory", "0005_listing")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name='historicalsyncconflict',
                    name='listing',
                    field=models.ForeignKey(blank=True, db_constraint=False, help_text='Where there is no pair.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='inventory.listing'),
                ),
                migrations.AlterField(
                    model_name='orderline',
                    name='listing',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='order_lines', to='inventory.listing'),
                ),
                migrations.AlterField(
                    model_name='outboundwrite',
                    name='listing',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='writes', to='inventory.listing'),
                ),
                migrations.AlterField(
                    model_name='putoff',
                    name='listing',
                    field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='put_off', to='inventory.listing'),
                ),
                migrations.AlterField(
                    model_name='syncconflict',
                    name='listing',
                    field=models.ForeignKey(blank=True, help_text='Where there is no pair.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='conflicts', to='inventory.listing'),
                ),
            ],
        ),
    ]
