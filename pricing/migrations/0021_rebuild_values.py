"""Request all stored values again: they now count the last price seen, and have parts and a second basis."""

from django.db import migrations
from django.db.models import Min
from django.utils import timezone


def request(apps, schema_editor):
    values = apps.get_model("pricing", "CollectionValue").objects
    requests = apps.get_model("pricing", "ValueRequest").objects
    for user, first in values.values_list("user_id").annotate(Min("day")).order_by("user_id"):
        requests.update_or_create(
            user_id=user,
            defaults={"rebuild_from": first},
            create_defaults={"rebuild_from": first, "due_at": timezone.now()},
        )


class Migration(migrations.Migration):
    dependencies = [("pricing", "0020_range_source")]

    operations = [migrations.RunPython(request, migrations.RunPython.noop)]
