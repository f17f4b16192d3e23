"""Keep each day's estimated value, so that the history of a large collection is read and not computed."""

from datetime import UTC, date, datetime

from django.contrib.auth import get_user_model

from pricing.models import CollectionValue
from pricing.queries import value_for
from pricing.valuation import Value


def store_value(user_id: int, *, now: datetime) -> None:
    """Write down what a user's collection is worth today (UTC); nothing when it has no price yet."""
    value = value_for(user_id, now=now)
    if value.priced:
        write_value(user_id, value, day=now.astimezone(UTC).date())


def write_value(user_id: int, value: Value, *, day: date) -> None:
    CollectionValue.objects.update_or_create(
        user_id=user_id,
        day=day,
        defaults={
            "currency": value.currency,
            "value_minor": value.amount_minor,
            "instances": value.instances,
            "priced": value.priced,
            "stale": value.stale,
            "unpriced": value.unpriced,
            "num_for_sale": value.num_for_sale,
            "want": value.want,
        },
    )


def store_missing_values(*, now: datetime) -> None:
    """Today's value of every connected user who has none yet: a day without a sync is no gap."""
    today = now.astimezone(UTC).date()
    users = get_user_model().objects.filter(discogs_connection__isnull=False).exclude(values__day=today)
    for user_id in users.values_list("pk", flat=True):
        store_value(user_id, now=now)
