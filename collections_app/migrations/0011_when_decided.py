"""When each copy's decision was made, from the log of decisions."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def copy_times(apps, schema_editor):
    copies = apps.get_model("collections_app", "CollectionInstance").objects
    log = apps.get_model("collections_app", "PriceDecision").objects
    about = log.filter(connection=OuterRef("connection"), release=OuterRef("release")).order_by("-decided_at")
    decided = copies.filter(release__in=log.values("release"))
    decided.update(decided_at=Subquery(about.values("decided_at")[:1]))


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0010_worth")]

    operations = [migrations.RunPython(copy_times, migrations.RunPython.noop)]
