import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A conflict points at what settling it booked."""

    dependencies = [("inventory", "0008_movements_have_vouchers"), ("sync", "0018_listing_of_inventory")]

    operations = [
        migrations.AddField(
            model_name="historicalsyncconflict",
            name="voucher",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="What settling it booked.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="inventory.voucher",
            ),
        ),
        migrations.AddField(
            model_name="syncconflict",
            name="voucher",
            field=models.ForeignKey(
                blank=True,
                help_text="What settling it booked.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="conflicts",
                to="inventory.voucher",
            ),
        ),
    ]
