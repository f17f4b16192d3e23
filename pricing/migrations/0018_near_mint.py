"""Make the suggestions by grade into one number for each release: what Discogs suggests for Near Mint, in USD."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from django.db import connection, migrations, transaction

BATCH = 500  # releases in one transaction
MAX_MINOR = 1_000_000_000  # no record costs more
NEAR_MINT = 17
GRID = {
    "Mint": 19,
    "Near Mint": NEAR_MINT,
    "Very Good Plus": 13,
    "Very Good": 9,
    "Good Plus": 5,
    "Good": 3,
    "Fair": 2,
    "Poor": 1,
}
MICROS, NO_MINOR_UNIT = Decimal(1_000_000), "JPY"


class Known(NamedTuple):
    amount_minor: int | None
    at: datetime


def convert(apps: Any, schema_editor: Any) -> None:
    """Set the columns and one row of history. An interrupted migration is repeated from the start and ends the same.

    Suggestions in a currency without a rate are left out, as are releases without a price: they are requested again.
    """
    prices = apps.get_model("pricing", "ReleasePrice").objects
    rates = dict(apps.get_model("pricing", "ExchangeRate").objects.values_list("currency", "micros_per_usd"))
    after = -1
    while ids := list(prices.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            _write(apps, _without_any(apps, ids) | _suggested(apps, ids, rates))
        after = ids[-1]


def _without_any(apps: Any, ids: list[int]) -> dict[int, Known]:
    """Releases for which Discogs had no suggestions."""
    attempts = apps.get_model("pricing", "SourceAttempt").objects
    rows = attempts.filter(source="suggestions", outcome="none", release__in=ids)
    return {release: Known(None, at) for release, at in rows.values_list("release_id", "tried_at")}


def _suggested(apps: Any, ids: list[int], rates: dict[str, int]) -> dict[int, Known]:
    """The newest suggestion of each release that has a rate; of one answer, the grade nearest to Near Mint."""
    rows = apps.get_model("pricing", "PriceSuggestion").objects.filter(release__in=ids)
    found: dict[int, tuple[datetime, int, int]] = {}
    for release, grade, currency, amount, at in rows.values_list(
        "release_id", "grade", "currency", "amount_minor", "observed_at"
    ):
        factor = GRID.get(grade.partition(" (")[0])
        minor = _in_usd((2 * amount * NEAR_MINT + factor) // (2 * factor), currency, rates) if factor else None
        if factor and minor is not None:
            candidate = at, -abs(factor - NEAR_MINT), minor
            found[release] = max(found.get(release, candidate), candidate)
    return {release: Known(minor, at) for release, (at, _, minor) in found.items()}


def _in_usd(amount: int, currency: str, rates: dict[str, int]) -> int | None:
    if currency != "USD":
        if currency not in rates:
            return None
        cents = Decimal(amount) * (100 if currency == NO_MINOR_UNIT else 1) * MICROS / rates[currency]
        amount = int(cents.to_integral_value(ROUND_HALF_EVEN))
    return amount if amount <= MAX_MINOR else None


def _write(apps: Any, known: dict[int, Known]) -> None:
    history = apps.get_model("pricing", "NearMintPrice")
    days = {release: row.at.astimezone(UTC).date() for release, row in known.items()}
    # The database's own form of a time and of a day: a cursor does not convert them.
    moment, date = connection.ops.adapt_datetimefield_value, connection.ops.adapt_datefield_value
    values = [
        (row.amount_minor, moment(row.at), date(days[release]), release) for release, row in known.items()
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE pricing_releaseprice SET near_mint_minor = %s, near_mint_at = %s, near_mint_since = %s"
            " WHERE release_id = %s",
            values,
        )
    history.objects.filter(release__in=known).delete()
    history.objects.bulk_create(
        history(release_id=release, day=days[release], amount_minor=row.amount_minor)
        for release, row in known.items()
    )


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction of its own
    dependencies = [("pricing", "0017_worth")]
    operations = [migrations.RunPython(convert, migrations.RunPython.noop)]
