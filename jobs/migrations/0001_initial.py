from django.db import migrations, models

from kit.migrations import content_types_move


class Migration(migrations.Migration):
    """Takes over the schedule's tables, as sync's migration of the same day has renamed them, with their permissions."""

    initial = True

    dependencies = [("sync", "0017_schedule_in_jobs"), ("contenttypes", "0002_remove_content_type_name")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='Heartbeat',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=40, unique=True)),
                        ('at', models.DateTimeField(verbose_name='last sign of life')),
                        ('process', models.CharField(blank=True, max_length=160)),
                        ('silent_since', models.DateTimeField(blank=True, null=True)),
                        ('noticed_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'verbose_name': 'sign of life',
                        'verbose_name_plural': 'signs of life',
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='JobSlot',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('job', models.CharField(max_length=255)),
                        ('slot', models.DateTimeField(help_text='When it was due, UTC.')),
                        ('task', models.CharField(max_length=200)),
                        ('state', models.CharField(choices=[('queued', 'Waits for a worker'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('set_aside', 'Set aside: it ends its worker'), ('skipped', 'Not run: a newer one took its place')], default='queued', max_length=10)),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('worker', models.CharField(blank=True, max_length=160)),
                        ('queued_at', models.DateTimeField()),
                        ('sent_at', models.DateTimeField(blank=True, null=True)),
                        ('started_at', models.DateTimeField(blank=True, null=True)),
                        ('until', models.DateTimeField(blank=True, null=True, verbose_name='allowed until')),
                        ('finished_at', models.DateTimeField(blank=True, null=True)),
                        ('message', models.TextField(blank=True, verbose_name='what became of it')),
                    ],
                    options={
                        'verbose_name': 'scheduled run',
                        'ordering': ['-slot', '-id'],
                        'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'running'])), fields=['state'], name='slots_open'), models.Index(fields=['-slot'], name='slots_newest')],
                        'constraints': [models.UniqueConstraint(fields=('job', 'slot'), name='one_run_per_slot')],
                    },
                ),
            ],
        ),
        content_types_move("sync", "jobs", "jobslot", "heartbeat"),
    ]
