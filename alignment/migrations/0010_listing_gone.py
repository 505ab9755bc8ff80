from django.db import migrations


class Migration(migrations.Migration):
    """Nobody points at alignment's listings any more: they are inventory's."""

    dependencies = [
        ("alignment", "0009_listing_of_inventory"),
        ("alerts", "0005_listing_of_inventory"),
        ("sync", "0018_listing_of_inventory"),
    ]

    operations = [migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Listing")])]
