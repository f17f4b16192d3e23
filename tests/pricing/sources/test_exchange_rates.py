"""Discogs' own exchange rates against the sandbox: when they are asked for, and which are kept."""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ

from collections_app.currencies import CODES
from collections_app.discogs.gate import configured_gate
from collections_app.models import DiscogsConnection, Preferences
from collections_app.sandbox.world.market import USD_RATES
from pricing import optional_tasks
from pricing.models import DiscogsRange, ExchangeRate, ReleasePrice, SourceAttempt
from pricing.sources import exchange_rates
from pricing.tasks import this_process
from tests.factories import make_connection
from tests.pricing.sources.owners import make_owner, queued

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEVER = timedelta(0)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    return make_owner(make_collector, generous_sandbox, "collector")


def choose(user, currency: str) -> None:
    Preferences.objects.update_or_create(user=user, defaults={"currency": currency})


def ask(currency: str = "EUR", *, later: timedelta = NEVER, seen: timedelta = HOUR) -> bool:
    now = timezone.now() + later
    ReleasePrice.objects.update(observed_at=now - seen)
    return exchange_rates.refresh_rate(currency, client_for=this_process().client_for, now=now)


def feed(*, later: timedelta = NEVER) -> int:
    return exchange_rates.feed(now=timezone.now() + later)


def known(currency: str = "EUR") -> Decimal:
    return ExchangeRate.objects.get(currency=currency).as_rate().per_usd


def answer(sandbox, currency: str, value: str, *, times: int = 1) -> None:
    """Discogs says this price in that currency, as raw JSON."""
    sandbox.add_fault(
        path=f"^/marketplace/stats/.*{currency}",
        kind="mutate",
        set_raw={"/lowest_price/value": value},
        times=times,
    )


@pytest.mark.parametrize("currency", [code for code in CODES if code != "USD"])
def test_two_requests_give_a_precise_rate(collector, generous_sandbox, currency):
    assert ask(currency)
    assert abs(float(known(currency)) / USD_RATES[currency] - 1) < 1e-5
    assert generous_sandbox.stats()["accepted"] == 2


def test_rate_is_fresh_for_a_day(collector, generous_sandbox):
    ask()
    assert ask(later=23 * HOUR)
    assert generous_sandbox.stats()["accepted"] == 2
    assert ask(later=25 * HOUR)
    assert generous_sandbox.stats()["accepted"] == 4
    assert ExchangeRate.objects.count() == 1


def test_rates_of_discogs_ranges_are_fetched_too(collector):
    """A range is shown converted, beside totals in the currency of its owner's choice."""
    today = timezone.now().date()
    for ago, currency in ((0, "USD"), (1, "GBP"), (9, "SEK")):
        DiscogsRange.objects.create(
            connection=collector.discogs_connection,
            day=today - ago * DAY,
            currency=currency,
            minimum_minor=1,
            median_minor=2,
            maximum_minor=3,
        )
    choose(collector, "EUR")
    assert feed() == 2
    assert [args[0] for _, args in queued()] == ["EUR", "GBP"]


@pytest.mark.parametrize("value", ["0", "-3.5", "1e400", "NaN", "Infinity", '"7.68"', "null", "true", "[]"])
@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_garbage_keeps_the_last_good_rate(collector, generous_sandbox, currency, value):
    ask()
    before = ExchangeRate.objects.values().get()
    answer(generous_sandbox, currency, value)
    assert ask(later=2 * DAY) is False
    assert ExchangeRate.objects.values().get() == before


@pytest.mark.parametrize("kind", ["html", "empty", "cut", "reset", "forbidden_html"])
@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_fault_keeps_the_last_good_rate(collector, generous_sandbox, currency, kind):
    ask()
    before = ExchangeRate.objects.values().get()
    generous_sandbox.add_fault(path=f"^/marketplace/stats/.*{currency}", kind=kind, times=1)
    assert ask(later=2 * DAY) is False
    assert ExchangeRate.objects.values().get() == before


@pytest.mark.parametrize(
    ("factor", "is_kept"), [("1.15", False), ("0.85", False), ("1.3", True), ("0.7", True)]
)
def test_rate_jump_of_a_fifth_is_rejected(collector, generous_sandbox, caplog, factor, is_kept):
    ask()
    before = known()
    answer(generous_sandbox, "EUR", str(Decimal("8") * before * Decimal(factor)))
    with caplog.at_level(logging.WARNING, logger="pricing.sources.exchange_rates"):
        assert ask(later=2 * DAY) is not is_kept
    assert (known() == before) is is_kept
    assert ("implausible" in caplog.text) is is_kept


def test_after_a_week_any_plausible_rate_counts(collector, generous_sandbox):
    ask()
    answer(generous_sandbox, "EUR", "3.2")
    assert ask(later=8 * DAY)
    assert known() == Decimal("0.4")


def test_implausible_first_rate_is_rejected(collector, generous_sandbox):
    answer(generous_sandbox, "EUR", "9000000")
    assert ask() is False
    assert not ExchangeRate.objects.exists()


def test_listing_between_answers_gives_no_rate(collector, generous_sandbox):
    generous_sandbox.add_fault(
        path="^/marketplace/stats/.*EUR", kind="mutate", set={"/num_for_sale": 99}, times=1
    )
    assert ask() is False
    assert not ExchangeRate.objects.exists()


@pytest.mark.parametrize("seen", [HOUR, 8 * DAY, 400 * DAY])
def test_sold_release_gives_way_to_another(collector, generous_sandbox, seen):
    """Also for those who sync only when they ask: what was for sale long ago mostly still is."""
    for release in (11, 12):
        generous_sandbox.set_market(release, lowest_price=None)
    tries = [ask(later=number * exchange_rates.AGAIN_AFTER, seen=seen) for number in range(3)]
    assert any(tries)


def test_price_too_high_in_yen_is_not_requested(collector, generous_sandbox):
    for release in (11, 12):
        generous_sandbox.set_market(release, lowest_price="80000.00", num_for_sale=2)
    ReleasePrice.objects.filter(pk__in=(11, 12)).update(amount_minor=80_000_00)
    for number in range(3):
        ExchangeRate.objects.all().delete()
        assert ask("JPY", later=number * exchange_rates.AGAIN_AFTER)


def test_without_credentials_nothing_is_requested(collector, generous_sandbox):
    DiscogsConnection.objects.update(state="reconnect_needed")
    assert ask() is False
    DiscogsConnection.objects.update(state="active", credential="sealed with a lost key")
    assert ask() is False
    assert generous_sandbox.stats()["accepted"] == 0


def test_closed_gate_changes_nothing(collector, generous_sandbox):
    configured_gate().record_refusal(retry_after=600)
    assert ask() is False
    assert generous_sandbox.stats()["accepted"] == 0
    assert connection_is_active(collector)


def connection_is_active(user) -> bool:
    return DiscogsConnection.objects.get(user=user).is_active


def test_rejected_credential_is_left_to_jobs(collector, generous_sandbox):
    generous_sandbox.add_fault(
        path="/marketplace/stats/", kind="status", status=401, times=2, body='{"message": "no"}'
    )
    assert ask() is False
    assert connection_is_active(collector)


# When they are asked for ----------------------------------------------------------------------------


def test_each_currency_is_requested_once_a_day(collector, generous_sandbox):
    for name, currency in (("a", "EUR"), ("b", "EUR"), ("c", "JPY"), ("d", "USD")):
        choose(make_connection(name).user, currency)
    assert feed() == 2
    assert sorted(queued()) == [("refresh_rate", (code,)) for code in ("EUR", "JPY")]
    for name, args in queued():
        getattr(optional_tasks, name)(*args)
    OrmQ.objects.all().delete()
    assert set(ExchangeRate.objects.values_list("currency", flat=True)) == {"EUR", "JPY"}
    assert feed(later=HOUR) == feed(later=23 * HOUR) == 0
    assert feed(later=25 * HOUR) == 2


def test_recent_request_is_not_repeated(collector):
    choose(collector, "EUR")
    assert [feed(later=minutes * MINUTE) for minutes in (0, 1, 9)] == [1, 0, 0]
    assert feed(later=11 * MINUTE) == 1


def test_rates_are_requested_after_first_price(collector):
    choose(collector, "EUR")
    prices = list(ReleasePrice.objects.all())
    ReleasePrice.objects.all().delete()
    assert feed() == 0
    ReleasePrice.objects.bulk_create(prices)
    assert feed(later=MINUTE) == 1


def test_week_old_prices_suffice_for_a_rate(collector):
    """Someone who syncs only when they ask has chosen a currency."""
    choose(collector, "EUR")
    ReleasePrice.objects.update(observed_at=timezone.now() - 8 * DAY)
    assert feed() == 1


def test_unused_currency_is_not_requested(collector):
    choose(collector, "USD")
    assert feed() == 0
    choose(collector, "EUR")
    collector.is_active = False
    collector.save()
    assert feed() == 0
    assert not OrmQ.objects.exists()


def test_row_delivered_twice_costs_no_request(collector, generous_sandbox):
    for _ in range(2):
        optional_tasks.refresh_rate("EUR")
    assert generous_sandbox.stats()["accepted"] == 2
    assert SourceAttempt.objects.get(currency="EUR").outcome == SourceAttempt.Outcome.STORED


def test_chosen_currency_requests_its_rate_once(collector, client):
    client.force_login(collector)
    form = {"sync_every_hours": "24", "time_zone": "UTC"}
    for currency in ("USD", "EUR", "EUR"):
        client.post("/settings/preferences/", {**form, "currency": currency})
    assert queued() == [("refresh_rate", ("EUR",))]
    optional_tasks.refresh_rate(CODES.index("EUR"))  # as the release before queued it
    OrmQ.objects.all().delete()
    client.post("/settings/preferences/", {**form, "currency": "EUR"})
    assert not OrmQ.objects.exists()


def test_invalid_form_requests_nothing(collector, client):
    client.force_login(collector)
    client.post("/settings/preferences/", {"currency": "EUR", "sync_every_hours": "x", "time_zone": "UTC"})
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("micros", [0, -1])
def test_invalid_rate_cannot_be_stored(db, micros):
    with pytest.raises(IntegrityError), transaction.atomic():
        ExchangeRate.objects.create(currency="EUR", micros_per_usd=micros, observed_at=timezone.now())
