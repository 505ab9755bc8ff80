import django.db.models.deletion

from django.db import migrations, models

from kit.migrations import content_types_move


class Migration(migrations.Migration):
    """Takes over the listings of alignment, whose table has its new name by now."""

    dependencies = [
        ("alignment", "0008_listing_renamed"),
        ("connectors", "0005_connection_checks"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("inventory", "0004_uncounted_since"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='Listing',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('remote_id', models.PositiveBigIntegerField()),
                        ('parent_remote_id', models.PositiveBigIntegerField(default=0)),
                        ('kind', models.CharField(max_length=30)),
                        ('sku', models.CharField(blank=True, max_length=190, verbose_name='SKU')),
                        ('sku_key', models.CharField(blank=True, db_index=True, editable=False, max_length=190)),
                        ('name', models.CharField(blank=True, max_length=500)),
                        ('barcode', models.CharField(blank=True, db_index=True, max_length=40)),
                        ('status', models.CharField(blank=True, max_length=30)),
                        ('stock_management', models.CharField(choices=[('own', 'Counted by the store'), ('parent', 'Counted by its parent product'), ('none', 'Not counted')], max_length=10)),
                        ('backorders', models.BooleanField(default=False)),
                        ('price', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                        ('sale_price', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                        ('cost', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                        ('quantity', models.DecimalField(blank=True, decimal_places=3, max_digits=14, null=True)),
                        ('read_at', models.DateTimeField(blank=True, null=True)),
                        ('baseline', models.DecimalField(blank=True, decimal_places=3, max_digits=14, null=True)),
                        ('opened_at', models.DateTimeField(blank=True, null=True)),
                        ('suspect', models.DecimalField(blank=True, decimal_places=3, max_digits=14, null=True)),
                        ('suspected_at', models.DateTimeField(blank=True, null=True)),
                        ('came_back', models.BooleanField(default=False, editable=False)),
                        ('news_at', models.DateTimeField(blank=True, help_text="When an order on it last changed, by the store's clock.", null=True)),
                        ('first_seen_at', models.DateTimeField()),
                        ('missing_since', models.DateTimeField(blank=True, db_index=True, null=True)),
                        ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='connectors.connection')),
                    ],
                    options={
                        'ordering': ['connection_id', 'remote_id'],
                        'constraints': [models.UniqueConstraint(fields=('connection', 'remote_id'), name='listing_once_per_store')],
                    },
                ),
            ],
        ),
        content_types_move("alignment", "inventory", "listing"),
    ]
