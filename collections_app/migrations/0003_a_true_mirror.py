# Everything an import reads, authorisations under way, and what users choose for themselves.

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('collections_app', '0002_gate_heeds_headers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CollectionField',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('discogs_id', models.BigIntegerField()),
                ('name', models.TextField()),
                ('role', models.CharField(choices=[('media', 'Media condition'), ('sleeve', 'Sleeve condition'), ('notes', 'Notes'), ('paid', 'Price paid'), ('other', "The user's own")], default='other', max_length=8)),
                ('seen_in_pass', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='PendingAuthorisation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, help_text='Known to the session only.', primary_key=True, serialize=False)),
                ('credential', models.TextField(blank=True, help_text='The request token and its secret, encrypted.')),
                ('created_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.RemoveField(
            model_name='importpass',
            name='pages',
        ),
        migrations.RemoveField(
            model_name='importpass',
            name='wants_prices',
        ),
        migrations.AddField(
            model_name='collectioninstance',
            name='custom_fields',
            field=models.JSONField(blank=True, default=dict, help_text="The user's own fields: {name: text}."),
        ),
        migrations.AddField(
            model_name='collectioninstance',
            name='paid_currency',
            field=models.CharField(blank=True, max_length=3),
        ),
        migrations.AddField(
            model_name='collectioninstance',
            name='paid_minor',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='folder',
            name='seen_in_pass',
            field=models.BigIntegerField(default=0),
        ),
        # Of passes before this one nobody knows it, so they cannot prove that anything is gone.
        migrations.AddField(
            model_name='importpass',
            name='instances_consistent',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='importpass',
            name='instances_consistent',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='importpass',
            name='stage',
            field=models.CharField(choices=[('folders', 'Folders'), ('fields', 'Fields'), ('instances', 'Copies'), ('wants', 'Wantlist')], default='folders', max_length=12),
        ),
        migrations.AddField(
            model_name='importpass',
            name='wants_consistent',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='importpass',
            name='wants_consistent',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='importpass',
            name='wants_expected',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='importpass',
            name='wants_seen',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='preferences',
            name='currency',
            field=models.CharField(choices=[('USD', 'USD'), ('GBP', 'GBP'), ('EUR', 'EUR'), ('CAD', 'CAD'), ('AUD', 'AUD'), ('JPY', 'JPY'), ('CHF', 'CHF'), ('MXN', 'MXN'), ('BRL', 'BRL'), ('NZD', 'NZD'), ('SEK', 'SEK'), ('ZAR', 'ZAR')], default='USD', help_text='Of all totals.', max_length=3),
        ),
        migrations.AddField(
            model_name='preferences',
            name='hides_amounts',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='preferences',
            name='time_zone',
            field=models.CharField(default='UTC', help_text='A name of the IANA database.', max_length=64),
        ),
        migrations.AddField(
            model_name='wantlistitem',
            name='rating',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='wantlistitem',
            name='seen_in_pass',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='discogsconnection',
            name='credential',
            field=models.TextField(blank=True, help_text="Encrypted; the owner's id is inside. Empty after an import from a file."),
        ),
        migrations.AlterField(
            model_name='discogsconnection',
            name='state',
            field=models.CharField(choices=[('active', 'Connected'), ('reconnect_needed', 'Reconnect needed'), ('private', 'Collection is private'), ('gone', 'Not at Discogs any more')], default='active', max_length=20),
        ),
        migrations.AlterField(
            model_name='importpass',
            name='next_page',
            field=models.PositiveIntegerField(default=1, help_text='Of copies or wants.'),
        ),
        migrations.AddConstraint(
            model_name='collectioninstance',
            constraint=models.CheckConstraint(condition=models.Q(('paid_minor__gte', 0), models.Q(('paid_currency', ''), ('paid_minor__isnull', True)), _connector='OR'), name='paid_is_an_amount'),
        ),
        migrations.AddField(
            model_name='collectionfield',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='fields', to='collections_app.discogsconnection'),
        ),
        migrations.AddField(
            model_name='pendingauthorisation',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pending_authorisations', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='collectionfield',
            constraint=models.UniqueConstraint(fields=('connection', 'discogs_id'), name='field_once_per_connection'),
        ),
    ]
