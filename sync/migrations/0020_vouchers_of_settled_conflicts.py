from django.db import migrations


def vouchers_of_settled_conflicts(apps, schema_editor):
    """What a person settled was named by the conflict's number; what a rule settled, by the moment at which it did."""
    database = schema_editor.connection.alias
    conflict = apps.get_model("sync", "SyncConflict").objects.using(database)
    booked = (
        apps.get_model("inventory", "Movement")
        .objects.using(database)
        .filter(voucher__kind__in=["conflict", "drift"])
        .values_list("voucher_id", "voucher__kind", "voucher__document", "source_id", "item_id", "recorded_at")
    )
    for voucher, kind, document, source, item, at in booked.iterator():
        if kind == "conflict":
            found = conflict.filter(pk=int(document))
        else:
            found = conflict.filter(store=source, alignment__item=item, resolved_at=at, conflict_type="quantity_mismatch")
        found.filter(voucher=None).update(voucher=voucher)


class Migration(migrations.Migration):
    """Settled conflicts find the vouchers of what they booked."""

    dependencies = [("sync", "0019_conflicts_have_vouchers")]

    operations = [migrations.RunPython(vouchers_of_settled_conflicts, migrations.RunPython.noop, elidable=True)]
