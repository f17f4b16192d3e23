"""Indexes that every look at the queue and every turn of the feeder needs."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0002_cache_table"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]
    operations = [
        # The next row of a cluster: by key, earliest lock first. The table is django-q2's, which has no such index.
        migrations.RunSQL(
            "CREATE INDEX IF NOT EXISTS queue_by_lock ON django_q_ormq (key, lock, id)",
            "DROP INDEX IF EXISTS queue_by_lock",
        ),
        # Is this job one of that run? Until PostgreSQL has looked at a run of 10,000 just planned, it believes the
        # run to be small and reads all its items for each job: 1,300 ms for one turn of the feeder, with this 28.
        migrations.RunSQL(
            "CREATE INDEX IF NOT EXISTS run_item_by_job ON pricing_runitem (run_id, job_id)",
            "DROP INDEX IF EXISTS run_item_by_job",
        ),
    ]
