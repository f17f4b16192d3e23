"""Price suggestions against the sandbox: when they are due, what is stored, and what a failure leaves as it is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.connections.connect import disconnect
from collections_app.discogs.gate import configured_gate
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import DiscogsConnection
from collections_app.sandbox.world.market import GRADE_GRID
from pricing.models import PriceJob, PriceSuggestion, ReleasePrice, SourceAttempt
from pricing.sources import suggestions
from pricing.tasks import this_process
from tests.factories import make_connection, make_copy, make_price, make_release
from tests.pricing.sources.owners import RELEASES, connection_of, make_owner

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    """A user who sells at Discogs, in pounds, and owns three releases whose prices are known."""
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


def test_suggestions_are_stored_by_grade(collector, generous_sandbox):
    assert ask()
    rows = PriceSuggestion.objects.filter(release=11)
    assert {row.grade for row in rows} == set(GRADE_GRID)
    assert {row.currency for row in rows} == {"GBP"}
    assert connection_of(collector).has_seller_settings is True
    assert generous_sandbox.stats()["accepted"] == 1


def test_most_expensive_is_requested_first(collector):
    assert due() == [13, 12, 11]
    ask(13)
    assert due() == [12, 11]
    assert due(later=6 * DAY) == [12, 11]
    assert due(later=8 * DAY) == [12, 11, 13]


def test_fresh_suggestion_costs_no_request(collector, generous_sandbox):
    ask()
    assert ask() is False
    assert generous_sandbox.stats()["accepted"] == 1


def test_empty_answer_lasts_a_week(collector, generous_sandbox):
    generous_sandbox.add_fault(
        path="/marketplace/price_suggestions/11",
        kind="status",
        status=200,
        body="{}",
        headers={"Content-Type": "application/json"},
        times=1,
    )
    assert ask()
    assert not PriceSuggestion.objects.exists()
    assert outcomes() == [("none", 11, None)]
    assert 11 not in due()
    assert 11 not in due(later=6 * DAY)
    assert 11 in due(later=8 * DAY)


def test_new_suggestions_replace_old_ones(collector):
    release = make_release(discogs_id=9_000_000)  # of another release: stays
    for of, grade, currency in (
        (11, "Old grade", "GBP"),
        (11, "Mint (M)", "EUR"),
        (release.pk, "Mint (M)", "GBP"),
    ):
        PriceSuggestion.objects.create(
            release_id=of,
            grade=grade,
            currency=currency,
            amount_minor=1,
            observed_at=timezone.now() - 8 * DAY,
        )
    ask()
    of_eleven = PriceSuggestion.objects.filter(release=11)
    assert not of_eleven.filter(grade="Old grade").exists()
    assert of_eleven.filter(currency="EUR").count() == 1
    assert of_eleven.filter(currency="GBP").count() == 8
    assert PriceSuggestion.objects.filter(release=release).exists()


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
    assert not PriceSuggestion.objects.exists()
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
def test_selecting_due_releases_is_one_query(releases, django_assert_num_queries):
    connection = make_connection()
    for number in range(releases):
        make_price(make_copy(connection).release, 1000 + number)
    with django_assert_num_queries(1):
        assert len(suggestions.due_suggestions(50, timezone.now())) == releases
