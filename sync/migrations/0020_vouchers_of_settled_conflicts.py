from django.db import migrations


def vouchers_of_settled_conflicts(apps, schema_editor):
    """What a person settled was named by the conflict's number; what a rule settled, by its listing and the moment at which it did:
    a shop may sell one item under several listings, and a rule settles them at once."""
    database = schema_editor.connection.alias
    booked = (
        apps.get_model("inventory", "Movement")
        .objects.using(database)
        .filter(voucher__kind__in=["conflict", "drift"])
        .values_list("voucher_id", "voucher__kind", "voucher__document", "source_id", "recorded_at")
    )
    by_person, by_rule = {}, {}
    for voucher, kind, document, source, at in booked.iterator():
        if kind == "conflict":
            by_person[document] = voucher
        else:
            by_rule[source, document, at] = voucher
    settled = (
        apps.get_model("sync", "SyncConflict")
        .objects.using(database)
        .filter(resolved_at__isnull=False, voucher=None)
        .values_list("pk", "store_id", "alignment__listing__remote_id", "resolved_at", "conflict_type")
    )
    found = []
    for pk, store, listing, at, kind in settled.iterator():
        voucher = by_person.get(str(pk))
        if voucher is None and kind == "quantity_mismatch":
            voucher = by_rule.get((store, str(listing), at))
        if voucher is not None:
            found.append((voucher, pk))
    with schema_editor.connection.cursor() as cursor:
        cursor.executemany("UPDATE sync_syncconflict SET voucher_id = %s WHERE id = %s", found)


class Migration(migrations.Migration):
    """Settled conflicts find the vouchers of what they booked."""

    dependencies = [("sync", "0019_conflicts_have_vouchers")]

    operations = [migrations.RunPython(vouchers_of_settled_conflicts, migrations.RunPython.noop, elidable=True)]
