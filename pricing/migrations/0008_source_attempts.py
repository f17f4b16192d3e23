# The record of attempts at the optional price sources, with real keys.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('collections_app', '0005_gate_clocks'),
        ('pricing', '0007_value_requests'),
    ]

    operations = [
        migrations.CreateModel(
            name='SourceAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('suggestions', 'Price suggestions'), ('exchange_rate', 'Exchange rate')], max_length=16)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('tried_at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('requested', 'Requested'), ('stored', 'Stored'), ('none', 'Discogs has none'), ('failed', 'Failed'), ('refused', 'Connection refused')], max_length=12)),
                ('connection', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='collections_app.discogsconnection')),
                ('release', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='collections_app.release')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('connection__isnull', True), ('currency', ''), ('release__isnull', False)), models.Q(('connection__isnull', False), ('currency', ''), ('release__isnull', True)), models.Q(('connection__isnull', True), ('release__isnull', True), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='attempt_has_one_subject'), models.UniqueConstraint(condition=models.Q(('release__isnull', False)), fields=('release', 'source'), name='one_attempt_per_release_and_source'), models.UniqueConstraint(condition=models.Q(('connection__isnull', False)), fields=('connection', 'source'), name='one_attempt_per_connection_and_source'), models.UniqueConstraint(condition=models.Q(('connection__isnull', True), ('release__isnull', True)), fields=('currency', 'source'), name='one_attempt_per_currency_and_source')],
            },
        ),
    ]
