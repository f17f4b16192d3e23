"""A run keeps the number of requests of failed jobs that a retry replaced."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pricing", "0009_known_source_attempts")]
    operations = [
        migrations.AddField(
            model_name="syncrun",
            name="replaced_requests",
            field=models.PositiveIntegerField(
                default=0, help_text="Requests of failed jobs that a retry replaced."
            ),
        ),
    ]
