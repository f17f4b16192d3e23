"""Snapshots: narrow columns give back what was stored, and a release has one row for each day."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from collections_app.currencies import CURRENCIES
from pricing.models import PriceSnapshot
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = date(2026, 5, 1)


def stored(**fields):
    make.make_snapshot(make.make_release(), fields.pop("amount_minor", None), day=DAY, **fields)
    return PriceSnapshot.objects.get()


@pytest.mark.parametrize("status", ["none_for_sale", "blocked", "gone"])
def test_snapshot_gives_its_status_back(status):
    assert stored(status=status).status == status
    assert PriceSnapshot.objects.filter(status=status).exists()
    assert not PriceSnapshot.objects.filter(status="priced").exists()


def test_snapshot_stores_texts_as_numbers():
    stored(amount_minor=1000, source="demo")
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, currency, source FROM pricing_pricesnapshot")
        assert cursor.fetchall() == [(1, 840, 2)]


def test_currency_numbers_differ():
    assert len({currency.number for currency in CURRENCIES.values()}) == len(CURRENCIES)


@pytest.mark.parametrize(
    ("rating", "kept"), [(4.37, 4.37), (0.0, 0.0), (5, 5.0), (None, None), (4.3749, 4.37)]
)
def test_rating_keeps_two_decimals(rating, kept):
    assert stored(rating_average=rating).rating_average == kept


@pytest.mark.parametrize("text", ["sold", 1])
def test_unknown_status_is_refused(text):
    with pytest.raises(ValueError, match="no code"):
        stored(status=text)
    with pytest.raises(ValueError, match="no code"):
        PriceSnapshot.objects.filter(status=text).exists()


def test_release_has_one_snapshot_per_day():
    release = stored(amount_minor=1000).release
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_snapshot(release, 1100, day=DAY)
    assert PriceSnapshot.objects.get(pk=(release.pk, DAY)).amount_minor == 1000


def test_snapshots_go_with_their_release():
    stored(amount_minor=1000).release.delete()
    assert not PriceSnapshot.objects.exists()
