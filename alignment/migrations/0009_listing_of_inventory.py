import django.db.models.deletion

from django.db import migrations, models


class Migration(migrations.Migration):
    """Pairs point at the listings of inventory: the same rows."""

    dependencies = [("alignment", "0008_listing_renamed"), ("inventory", "0005_listing")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name='alignment',
                    name='listing',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alignments', to='inventory.listing'),
                ),
                migrations.AlterField(
                    model_name='historicalalignment',
                    name='listing',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='inventory.listing'),
                ),
            ],
        ),
    ]
