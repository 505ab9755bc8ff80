import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """No movement without a voucher; the sentences are gone."""

    dependencies = [("inventory", "0007_vouchers_of_references")]

    operations = [
        migrations.RemoveConstraint(model_name="movement", name="movement_once"),
        migrations.RemoveField(model_name="movement", name="reference"),
        migrations.AlterField(
            model_name="movement",
            name="voucher",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="movements", to="inventory.voucher"
            ),
        ),
        migrations.AddConstraint(
            model_name="movement",
            constraint=models.UniqueConstraint(fields=("voucher", "item", "location"), name="movement_once"),
        ),
    ]
