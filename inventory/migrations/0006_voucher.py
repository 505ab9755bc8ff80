import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What movements came from gets rows of its own."""

    dependencies = [("connectors", "0006_peace_until"), ("inventory", "0005_listing")]

    operations = [
        migrations.CreateModel(
            name="Voucher",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("feed", "Till's list"),
                            ("order", "Online order"),
                            ("late", "Online order, aligned later"),
                            ("drift", "Number accepted from the shop"),
                            ("conflict", "Settled conflict"),
                            ("other", "Noted before there were vouchers"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="vouchers", to="connectors.connection"
                    ),
                ),
                ("document", models.CharField(max_length=250)),
                ("line", models.CharField(blank=True, max_length=64)),
                ("number", models.BigIntegerField(default=0)),
            ],
            options={"ordering": ["-id"]},
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.UniqueConstraint(
                fields=("connection", "kind", "document", "line", "number"), name="voucher_once"
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="voucher",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="movements", to="inventory.voucher"
            ),
        ),
    ]
