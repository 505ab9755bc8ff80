import re
from datetime import UTC, datetime

from django.db import migrations

ORDER = re.compile(r"order (\d+) line (\d+) state (\d+)( aligned)?")
FEED = re.compile(r"feed (\S{1,16}) \d{14} item \d+ place \d+")
DRIFT = re.compile(r"drift of listing (\d+) at (\d{8}T\d{12})")
CONFLICT = re.compile(r"conflict (\d+)")
CHUNK = 2000


def vouchers_of_references(apps, schema_editor):
    """Read each movement's sentence for the last time. One that says nothing known keeps it as its voucher's document."""
    database = schema_editor.connection.alias
    movement = apps.get_model("inventory", "Movement").objects.using(database)
    voucher = apps.get_model("inventory", "Voucher")
    made = {}  # by key: a list's movements share one
    lists = apps.get_model("sync", "TillFeed").objects.using(database)
    feeds = {}  # by what a sentence says of its list
    for connection, identity, true_at in lists.values_list("connection_id", "identity", "true_at"):
        feeds[connection, identity[:16], true_at] = identity
        if "@" not in identity:  # it doesn't name its moment: the same list came again later, and its row has the later moment
            feeds[connection, identity[:16]] = identity

    def key_of(source, reference, occurred_at):
        if found := ORDER.fullmatch(reference):
            order, line, state, late = found.groups()
            return (source, "late" if late else "order", order, line, int(state))
        if found := FEED.fullmatch(reference):
            identity = feeds.get((source, found[1], occurred_at)) or feeds.get((source, found[1]), found[1])
            return (source, "feed", identity, "", int(occurred_at.timestamp()))
        if found := DRIFT.fullmatch(reference):
            at = datetime.strptime(found[2], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
            return (source, "drift", found[1], "", int(at.timestamp() * 1_000_000))
        if found := CONFLICT.fullmatch(reference):
            return (source, "conflict", found[1], "", 0)
        return (source, "other", reference, "", 0)

    last = 0
    while rows := list(
        movement.filter(pk__gt=last, voucher=None)
        .order_by("pk")
        .values_list("pk", "source_id", "reference", "occurred_at")[:CHUNK]
    ):
        last = rows[-1][0]
        keys = {pk: key_of(source, reference, occurred_at) for pk, source, reference, occurred_at in rows}
        new = list(dict.fromkeys(key for key in keys.values() if key not in made))
        fresh = voucher.objects.using(database).bulk_create(
            [
                voucher(connection_id=source, kind=kind, document=document, line=line, number=number)
                for source, kind, document, line, number in new
            ]
        )
        made.update((key, row.pk) for key, row in zip(new, fresh))
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE inventory_movement SET voucher_id = %s WHERE id = %s",
                [(made[key], pk) for pk, key in keys.items()],
            )
        made = {key: pk for key, pk in made.items() if key[1] == "feed"}


class Migration(migrations.Migration):
    """Each movement's sentence becomes its voucher."""

    dependencies = [("inventory", "0006_voucher"), ("sync", "0018_listing_of_inventory")]

    operations = [migrations.RunPython(vouchers_of_references, migrations.RunPython.noop, elidable=True)]
