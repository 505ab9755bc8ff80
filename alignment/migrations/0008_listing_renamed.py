from django.db import migrations


class Migration(migrations.Migration):
    """Listings belong beside items (architecture.md). First the table gets its new name; nothing is copied."""

    dependencies = [("alignment", "0007_numbers_of_by_now")]

    operations = [migrations.AlterModelTable("Listing", "inventory_listing")]
