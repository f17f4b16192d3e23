"""What the recorder makes of readings that look wrong."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from collections_app.discogs.payloads import Market
from pricing.models import Doubt, PriceJob, PriceSnapshot, ReleasePrice
from pricing.precision.estimator import MAX_CHANGE
from pricing.precision.history import relearn
from pricing.sync.due import is_due
from pricing.sync.recorder import DOUBTED, LEARNED, gone, record_market
from tests import factories as make

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RELEASE = 11


@pytest.fixture(autouse=True)
def release(db):
    return make.make_release(discogs_id=RELEASE)


def read(amount, *, at, for_sale=12, market=None):
    """Record a reading at a time; returns the latest price."""
    status, currency = ("none_for_sale", "") if amount is None else ("priced", "USD")
    market = market or Market(RELEASE, status, currency, amount, for_sale, 20, 40, None, None)
    job = PriceJob.objects.create(
        release_id=RELEASE, state="running", created_at=at, lease_owner=uuid4(), lease_until=at + HOUR
    )
    assert record_market(job, market, duration_ms=5, requests=1, now=at)
    job.refresh_from_db()
    price = ReleasePrice.objects.get(pk=RELEASE)
    assert PriceSnapshot.objects.get(day=at.date()).doubt == price.doubt or market.status == "gone"
    return price


def test_doubted_reading_is_stored_and_not_learned():
    before = read(6000, at=NOON)
    price = read(400, at=NOON + DAY)
    assert (price.amount_minor, price.doubt, price.status) == (400, Doubt.JUMP, "priced")
    assert (price.doubted_minor, price.doubted_on) == (400, (NOON + DAY).date())
    assert [getattr(price, name) for name in LEARNED] == [getattr(before, name) for name in LEARNED]
    assert PriceSnapshot.objects.get(day=(NOON + DAY).date()).amount_minor == 400


def test_run_finds_no_change_in_a_doubted_reading():
    read(6000, at=NOON)
    read(400, at=NOON + DAY)
    read(6100, at=NOON + 2 * DAY)
    read(6200, at=NOON + 3 * DAY)
    found = list(PriceJob.objects.order_by("pk").values_list("before_minor", flat=True))
    assert found == [None, None, None, 6100]


def test_another_day_confirms_with_a_capped_change():
    read(6000, at=NOON)
    read(400, at=NOON + DAY)
    price = read(420, at=NOON + 2 * DAY)
    assert (price.doubt, price.last_minor, price.doubted_minor) == (Doubt.NONE, 420, None)
    assert price.s2 == pytest.approx(MAX_CHANGE**2)
    assert price.exposure_days == pytest.approx(2)
    doubts = dict(PriceSnapshot.objects.values_list("amount_minor", "doubt"))
    assert doubts == {6000: Doubt.NONE, 400: Doubt.JUMP, 420: Doubt.NONE}  # counted from that day


def test_same_day_does_not_confirm():
    read(6000, at=NOON)
    read(400, at=NOON + DAY)
    assert read(400, at=NOON + DAY + 11 * HOUR).doubt == Doubt.JUMP
    assert read(400, at=NOON + DAY + 12 * HOUR).doubt == Doubt.NONE  # midnight UTC


def test_return_to_the_last_price_ends_the_doubt():
    read(6000, at=NOON)
    read(400, at=NOON + DAY)
    price = read(5900, at=NOON + 2 * DAY)
    assert (price.doubt, price.doubted_on, price.last_minor) == (Doubt.NONE, None, 5900)
    assert read(400, at=NOON + 3 * DAY).doubt == Doubt.JUMP  # contradicted meanwhile


def test_each_wrong_figure_is_doubted_anew():
    read(6000, at=NOON)
    read(400, at=NOON + DAY, for_sale=1)
    price = read(90_000, at=NOON + 2 * DAY)
    assert (price.doubt, price.doubted_minor) == (Doubt.JUMP, 90_000)


@pytest.mark.parametrize("empty", [None, "gone"])
def test_doubt_outlasts_a_reading_without_a_price(empty):
    read(6000, at=NOON)
    read(400, at=NOON + DAY)
    nothing = gone(RELEASE) if empty else None
    price = read(None, at=NOON + 2 * DAY, for_sale=0, market=nothing)
    assert (price.doubt, price.doubted_minor, price.last_minor) == (Doubt.NONE, 400, 6000)
    assert read(410, at=NOON + 3 * DAY).doubt == Doubt.NONE


def test_replaced_snapshot_takes_its_doubt_along():
    read(6000, at=NOON)
    read(400, at=NOON + DAY)
    price = read(None, at=NOON + DAY + HOUR, for_sale=0)
    assert (price.doubt, price.doubted_minor, price.doubted_on) == (Doubt.NONE, None, None)


@pytest.mark.parametrize(
    ("suggested", "expected"), [(1701, Doubt.BELOW_SUGGESTION), (1700, Doubt.NONE), (None, Doubt.NONE)]
)
def test_reading_is_compared_with_the_suggestion(suggested, expected):
    read(None, at=NOON - DAY)
    ReleasePrice.objects.update(near_mint_minor=suggested)
    price = read(100, at=NOON, for_sale=20)
    assert price.doubt == expected
    assert price.last_minor == (None if expected else 100)


@pytest.mark.parametrize("market", [None, gone(RELEASE)], ids=["priced", "gone"])
def test_reading_keeps_the_suggestion(market):
    read(6000, at=NOON)
    known = {"near_mint_minor": 9000, "near_mint_at": NOON, "near_mint_since": NOON.date() - 3 * DAY}
    ReleasePrice.objects.update(**known)
    price = read(6100, at=NOON + DAY, market=market)
    assert {name: getattr(price, name) for name in known} == known


def test_history_teaches_the_same_again():
    readings = [6000, 400, 5900, 90_000, 85_000, None, 400, 90, 88, 300]
    for number, amount in enumerate(readings):
        price = read(amount, at=NOON + number * DAY, for_sale=12)
        names = {*LEARNED, *DOUBTED} - {"prior_variance", "urgency"}
        known = {name: getattr(price, name) for name in names}
        ReleasePrice.objects.update(last_minor=1, s2=9, doubted_minor=7, doubted_on=NOON.date())
        relearn([RELEASE])
        price.refresh_from_db()
        assert {name: getattr(price, name) for name in names} == known, number


@pytest.mark.parametrize(
    ("age", "is_doubted", "expected"), [(24, True, True), (23, True, False), (24, False, False)]
)
def test_doubted_reading_is_due_after_a_day(age, is_doubted, expected):
    known = {"every": 7 * DAY, "status_since": NOON, "observed_at": NOON}
    assert is_due("priced", **known, now=NOON + age * HOUR, is_doubted=is_doubted) == expected
