from django.db import migrations


def vouchers_of_settled_conflicts(apps, schema_editor):
    """What a person settled was named by the conflict's number; what a rule settled, by its listing and the moment at which it did:
    a shop may sell one item under several listings, and a rule settles them at once."""
    database = schema_editor.connection.alias
    conflict = apps.get_model("sync", "SyncConflict").objects.using(database)
    booked = (
        apps.get_model("inventory", "Movement")
        .objects.using(database)
        .filter(voucher__kind__in=["conflict", "drift"])
        .values_list("voucher_id", "voucher__kind", "voucher__document", "source_id", "recorded_at")
    )
    for voucher, kind, document, source, at in booked.iterator():
        if kind == "conflict":
            found = conflict.filter(pk=int(document))
        else:
            mine = conflict.filter(store=source, resolved_at=at, conflict_type="quantity_mismatch")
            found = mine.filter(alignment__listing__connection=source, alignment__listing__remote_id=int(document))
        found.filter(voucher=None).update(voucher=voucher)


class Migration(migrations.Migration):
    """Settled conflicts find the vouchers of what they booked."""

    dependencies = [("sync", "0019_conflicts_have_vouchers")]

    operations = [migrations.RunPython(vouchers_of_settled_conflicts, migrations.RunPython.noop, elidable=True)]
