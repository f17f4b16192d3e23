"""Price suggestions against the sandbox: when they are due, what is stored, and what a failure leaves as it is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.connections.connect import disconnect
from collections_app.discogs.gate import configured_gate
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import DiscogsConnection
from pricing.models import ExchangeRate, NearMintPrice, PriceJob, ReleasePrice, SourceAttempt
from pricing.sources import suggestions
from pricing.tasks import this_process
from tests.factories import make_connection, make_copy, make_price
from tests.pricing.sources.owners import RELEASES, connection_of, make_owner, queued

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    """A user who sells at Discogs, in pounds, and owns three releases whose prices are known."""
    ExchangeRate.objects.create(currency="GBP", micros_per_usd=800_000, observed_at=timezone.now())
    return make_owner(make_collector, generous_sandbox, "collector", seller_currency="GBP")


def ask(release: int = 11, *, later: timedelta = timedelta(0)) -> bool:
    now = timezone.now() + later
    return suggestions.refresh_suggestions(release, client_for=this_process().client_for, now=now)


def due(*, later: timedelta = timedelta(0)) -> list[int]:
    now = timezone.now() + later
    ReleasePrice.objects.update(observed_at=now - HOUR)  # daily runs have gone on meanwhile
    return suggestions.due_suggestions(50, now)


def outcomes() -> list[tuple[str, int | None, int | None]]:
    return list(SourceAttempt.objects.values_list("outcome", "release", "connection"))


def answer(sandbox, body: str) -> None:
    """Let the next request for the suggestions of release 11 be answered by this."""
    sandbox.add_fault(
        path="/marketplace/price_suggestions/11",
        kind="status",
        status=200,
        body=body,
        headers={"Content-Type": "application/json"},
        times=1,
    )


def suggested(release: int = 11) -> int | None:
    return ReleasePrice.objects.get(pk=release).near_mint_minor


def test_suggestion_is_stored_as_one_number_in_usd(collector, generous_sandbox):
    answer(generous_sandbox, '{"Near Mint (NM or M-)": {"currency": "GBP", "value": 8.0}}')
    assert ask()
    price = ReleasePrice.objects.get(pk=11)
    assert (price.near_mint_minor, price.near_mint_since) == (1000, price.near_mint_at.date())
    assert list(NearMintPrice.objects.values_list("release", "amount_minor")) == [(11, 1000)]
    assert connection_of(collector).has_seller_settings is True
    assert generous_sandbox.stats()["accepted"] == 1


def test_suggestions_of_the_sandbox_are_stored(collector):
    assert ask()
    assert suggested() > 0


def test_most_expensive_is_requested_first(collector):
    assert due() == [13, 12, 11]
    ReleasePrice.objects.filter(pk=11).update(last_minor=900)
    assert due() == [11, 13, 12]
    ask(13)
    assert due() == [11, 12]
    assert due(later=6 * DAY) == [11, 12]
    assert due(later=8 * DAY) == [11, 12, 13]


def test_known_suggestions_follow_the_index_of_prices(collector):
    now = timezone.now()
    for release, days, urgency in ((11, 8, 0.5), (12, 20, 0.1), (13, 10, 0.5)):
        at = now - days * DAY
        ReleasePrice.objects.filter(pk=release).update(near_mint_at=at, urgency=urgency)
    assert due() == [13, 11, 12]
    ReleasePrice.objects.filter(pk=12).update(near_mint_at=now + 2 * DAY)  # a clock was ahead
    assert due() == [12, 13, 11]


@pytest.mark.parametrize(("rate_age", "expected"), [(None, None), (6 * DAY, 1000), (8 * DAY, None)])
def test_rate_of_the_selling_currency_is_requested(collector, generous_sandbox, rate_age, expected):
    ExchangeRate.objects.all().delete()
    if rate_age:
        at = timezone.now() - rate_age
        ExchangeRate.objects.create(currency="GBP", micros_per_usd=800_000, observed_at=at)
    answer(generous_sandbox, '{"Near Mint (NM or M-)": {"currency": "GBP", "value": 8.0}}')
    assert ask() is (expected is not None)
    assert suggested() == expected
    assert queued() == [("refresh_rate", ("GBP",))]
    if expected is None:  # tried again the next day, when the rate is there
        assert ("failed", 11, None) in outcomes()
        assert 11 not in due()
        assert 11 in due(later=2 * DAY)


@pytest.mark.parametrize("grade", ["Sealed", "Near Mint"])
def test_unusable_suggestions_are_an_attempt(collector, generous_sandbox, grade):
    value = 9_000_000 if grade == "Near Mint" else 8  # in US cents, more than any record costs
    ExchangeRate.objects.update(micros_per_usd=50_000)
    answer(generous_sandbox, f'{{"{grade}": {{"currency": "GBP", "value": {value}}}}}')
    assert ask() is False
    assert outcomes() == [("failed", 11, None)]
    assert not NearMintPrice.objects.exists()


def test_fresh_suggestion_costs_no_request(collector, generous_sandbox):
    ask()
    assert ask() is False
    assert generous_sandbox.stats()["accepted"] == 1


def test_empty_answer_lasts_a_week(collector, generous_sandbox):
    answer(generous_sandbox, "{}")
    assert ask()
    assert (suggested(), outcomes()) == (None, [])
    assert list(NearMintPrice.objects.values_list("release", "amount_minor")) == [(11, None)]
    assert 11 not in due()
    assert 11 not in due(later=6 * DAY)
    assert 11 in due(later=8 * DAY)


def test_missing_settings_pause_for_a_month(make_collector, generous_sandbox):
    user = make_owner(make_collector, generous_sandbox, "buyer")
    before = list(ReleasePrice.objects.order_by("pk").values())
    assert ask() is False
    assert connection_of(user).has_seller_settings is False
    assert list(ReleasePrice.objects.order_by("pk").values()) == before
    assert due() == due(later=29 * DAY) == []
    assert ask(12) is False
    assert generous_sandbox.stats()["accepted"] == 1
    assert due(later=31 * DAY) == [13, 12, 11]


def test_new_seller_settings_are_found_later(make_collector, generous_sandbox):
    user = make_owner(make_collector, generous_sandbox, "buyer")
    ask()
    generous_sandbox.add_user(
        "buyer_at_discogs", "token-of-buyer", release_ids=RELEASES, seller_currency="USD"
    )
    due(later=31 * DAY)
    assert ask(later=31 * DAY)
    assert connection_of(user).has_seller_settings is True


def test_owner_with_seller_settings_is_asked(collector, make_collector, generous_sandbox):
    DiscogsConnection.objects.update(has_seller_settings=True)
    other = make_owner(make_collector, generous_sandbox, "buyer")
    assert ask()
    assert connection_of(other).has_seller_settings is None


def test_gone_release_is_no_missing_setting(collector, generous_sandbox):
    ask(12)
    generous_sandbox.set_market(11, gone=True)
    assert ask(11) is False
    assert connection_of(collector).has_seller_settings is True
    assert ReleasePrice.objects.get(pk=11).status == MarketStatus.PRICED  # the price job will tell
    assert due() == [13]


@pytest.mark.parametrize("status", ["gone", "blocked"])
def test_unsellable_release_is_not_requested(collector, status):
    ReleasePrice.objects.filter(pk=11).update(status=status, amount_minor=None, currency="")
    assert 11 not in due()


def test_only_known_releases_are_requested(collector):
    ReleasePrice.objects.filter(pk=11).update(observed_at=timezone.now() - 8 * DAY)
    assert suggestions.due_suggestions(50, timezone.now()) == [13, 12]


def test_unheld_release_is_not_requested(collector):
    collector.discogs_connection.instances.filter(release=11).update(removed_at=timezone.now())
    assert due() == [13, 12]


@pytest.mark.parametrize("kind", ["html", "empty", "cut", "reset", "forbidden_html"])
def test_fault_is_retried_the_next_day(collector, generous_sandbox, kind):
    before = list(ReleasePrice.objects.order_by("pk").values())
    generous_sandbox.add_fault(path="/marketplace/price_suggestions/11", kind=kind, times=1)
    assert ask() is False
    assert list(ReleasePrice.objects.order_by("pk").values()) == before
    assert connection_of(collector).has_seller_settings is None
    assert not NearMintPrice.objects.exists()
    assert not PriceJob.objects.exists()
    assert outcomes() == [("failed", 11, None)]
    assert 11 not in due()
    assert 11 in due(later=2 * DAY)


def test_refusal_pauses_gate_and_stays_due(collector, generous_sandbox):
    generous_sandbox.add_fault(path="/marketplace/price_suggestions/11", kind="status", status=429, times=1)
    assert ask() is False
    assert configured_gate().status().reason == "rate_limit"
    assert 11 in due()


def test_rejected_credentials_keep_the_connection(collector, generous_sandbox):
    generous_sandbox.add_fault(
        path="/marketplace/price_suggestions/", kind="status", status=401, body='{"message": "no"}'
    )
    assert ask() is False
    connection = connection_of(collector)
    assert (connection.state, connection.has_seller_settings) == ("active", None)
    assert outcomes() == [("refused", None, connection.pk)]
    assert due() == []
    assert due(later=2 * DAY) == [13, 12, 11]


def test_disconnect_during_request_is_unrecorded(collector, generous_sandbox):
    def client_for(credentials):
        disconnect(connection_of(collector))
        return this_process().client_for(credentials)

    generous_sandbox.add_fault(
        path="/marketplace/price_suggestions/", kind="status", status=401, body='{"message": "no"}'
    )
    assert suggestions.refresh_suggestions(11, client_for=client_for, now=timezone.now()) is False
    assert not SourceAttempt.objects.exists()


def test_unreadable_credential_requests_nothing(collector, generous_sandbox):
    DiscogsConnection.objects.update(credential="sealed with a lost key")
    assert ask() is False
    assert generous_sandbox.stats()["accepted"] == 0


@pytest.mark.parametrize("releases", [5, 50])
def test_selecting_due_releases_is_two_queries(releases, django_assert_num_queries):
    connection = make_connection()
    for number in range(releases):
        make_price(make_copy(connection).release, 1000 + number)
    with django_assert_num_queries(2):
        assert len(suggestions.due_suggestions(50, timezone.now())) == releases
    DiscogsConnection.objects.update(has_seller_settings=False)
    with django_assert_num_queries(1):
        assert suggestions.due_suggestions(50, timezone.now()) == []
