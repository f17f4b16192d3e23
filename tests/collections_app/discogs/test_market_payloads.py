"""The optional price sources: their answers read, and their traps met at the client."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.discogs import errors
from collections_app.discogs.client import Credentials, DiscogsClient, SellerSettingsMissing
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.gate import Gate, Pace
from collections_app.discogs.json_values import parse_json
from collections_app.discogs.market_payloads import (
    MarketStats,
    Suggestion,
    parse_market_stats,
    parse_suggestions,
)
from collections_app.models import ApiGate
from collections_app.sandbox.world.market import GRADE_GRID
from tests.collections_app.discogs.test_payloads import JSON


def stats(body: bytes, currency: str = "EUR") -> MarketStats:
    return parse_market_stats(parse_json(body), currency=currency)


@pytest.mark.parametrize(
    ("body", "amount", "listings"),
    [
        (b'{"lowest_price": {"value": 7.679804607882764, "currency": "EUR"}, "num_for_sale": 66}', 768, 66),
        (b'{"lowest_price": null, "num_for_sale": null, "blocked_from_sale": true}', None, None),
        (b'{"lowest_price": null, "num_for_sale": 0, "blocked_from_sale": true}', None, 0),
        (b'{"lowest_price": null, "num_for_sale": 0, "blocked_from_sale": false}', None, 0),
        (
            b'{"lowest_price": {"value": 3, "currency": "EUR"}, "num_for_sale": 1, "blocked_from_sale": true}',
            None,
            1,
        ),
    ],
)
def test_stats_are_an_amount_or_none_never_zero(body, amount, listings):
    found = stats(body)
    assert (found.currency, found.amount_minor, found.num_for_sale) == ("EUR", amount, listings)
    assert (found.value is None) is (amount is None)


def test_price_is_kept_as_discogs_wrote_it():
    body = b'{"lowest_price": {"value": 7.679804607882764, "currency": "EUR"}, "num_for_sale": 66}'
    assert stats(body).value == Decimal("7.679804607882764")


def test_yen_have_no_minor_unit():
    assert (
        stats(b'{"lowest_price": {"value": 1249.5, "currency": "JPY"}}', currency="JPY").amount_minor == 1250
    )


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"lowest_price": 7.68, "num_for_sale": 1}',
        b'{"lowest_price": {"value": 7.68, "currency": "USD"}, "num_for_sale": 1}',
        b'{"lowest_price": {"value": 7.68, "currency": "???"}, "num_for_sale": 1}',
        b'{"lowest_price": {"value": null, "currency": "EUR"}, "num_for_sale": 1}',
        b'{"lowest_price": {"value": -1, "currency": "EUR"}, "num_for_sale": 1}',
        b'{"lowest_price": {"value": 1e400, "currency": "EUR"}, "num_for_sale": 1}',
        b'{"lowest_price": {"value": 7.68}, "num_for_sale": 1}',
        b'{"lowest_price": null, "num_for_sale": -1}',
    ],
)
def test_garbage_is_no_statistics(body):
    with pytest.raises(BadPayload):
        stats(body)


def test_suggestions_come_by_grade_or_none():
    body = b'{"Mint (M)": {"currency": "GBP", "value": 19.004}, "Poor (P)": {"currency": "GBP", "value": 1}}'
    found = parse_suggestions(parse_json(body))
    assert found == (Suggestion("Mint (M)", "GBP", 1900), Suggestion("Poor (P)", "GBP", 100))
    assert parse_suggestions({}) == ()


@pytest.mark.parametrize(
    "data",
    [
        [],
        None,
        {"Mint (M)": 19},
        {"Mint (M)": {"value": 19}},
        {"Mint (M)": {"currency": "GBP", "value": "19"}},
        {"Mint (M)": {"currency": "GBP", "value": None}},
        {"": {"currency": "GBP", "value": 1}},
        {"x" * 41: {"currency": "GBP", "value": 1}},
        {f"grade {n}": {"currency": "GBP", "value": 1} for n in range(21)},
    ],
)
def test_garbage_is_no_suggestion(data):
    with pytest.raises(BadPayload):
        parse_suggestions(data)


@given(data=JSON)
def test_any_shape_is_read_or_refused(data):
    for parse in (lambda: parse_market_stats(data, currency="EUR"), lambda: parse_suggestions(data)):
        try:
            parse()
        except BadPayload:
            continue


@given(st.dictionaries(st.text(max_size=50), JSON, max_size=4))
def test_parsed_suggestion_can_be_stored(data):
    try:
        found = parse_suggestions(data)
    except BadPayload:
        return
    assert all(0 < len(entry.grade) <= 40 and entry.amount_minor >= 0 for entry in found)
    assert len({entry.grade for entry in found}) == len(found)


# At the client -------------------------------------------------------------------------------------


@pytest.fixture
def client_of(generous_sandbox, transactional_db) -> Callable[..., DiscogsClient]:
    """A client for a sandbox account of these properties."""

    def make(**user) -> DiscogsClient:
        generous_sandbox.add_user("seller", "token-of-seller", release_ids=[7], **user)
        gate = Gate("test", Pace(limit=100_000, window=6))
        return DiscogsClient(Credentials.from_token("token-of-seller"), gate=gate)

    return make


def test_statistics_use_the_requested_currency(client_of, generous_sandbox):
    client = client_of()
    generous_sandbox.set_market(7, lowest_price="10", num_for_sale=3)
    for currency, amount in (("USD", 1000), ("EUR", 914), ("JPY", 1513)):
        found = client.market_stats(7, currency)
        assert (found.currency, found.amount_minor, found.num_for_sale) == (currency, amount, 3)


@pytest.mark.parametrize("release", [7, 8])  # a 0 for odd ones, null for even ones
def test_blocked_release_has_no_price(client_of, generous_sandbox, release):
    client = client_of()
    generous_sandbox.set_market(release, blocked=True)
    assert client.market_stats(release, "EUR").amount_minor is None


def test_unknown_currency_is_never_requested(client_of, generous_sandbox):
    client = client_of()
    with pytest.raises(ValueError, match="DEM"):
        client.market_stats(7, "DEM")
    assert generous_sandbox.stats()["accepted"] == 0


def test_suggestions_use_the_sellers_currency(client_of):
    client = client_of(seller_currency="GBP", curr_abbr="USD")
    found = client.price_suggestions(7)
    assert [entry.grade for entry in found] == list(GRADE_GRID)
    assert {entry.currency for entry in found} == {"GBP"}


def test_missing_seller_settings_lose_nothing(client_of):
    client = client_of()
    with pytest.raises(SellerSettingsMissing):
        client.price_suggestions(7)
    assert client.release_market(7).status != "gone"


def test_listing_search_is_unavailable_to_all(client_of, generous_sandbox):
    client = client_of()
    assert client.listing_search(7) is False
    generous_sandbox.add_fault(
        path="/marketplace/search", kind="status", status=401, times=1, body='{"message": "no"}'
    )
    assert client.listing_search(7) is False


def test_unreachable_listing_search_is_unknown(client_of, generous_sandbox):
    client = client_of()
    generous_sandbox.add_fault(path="/marketplace/search", kind="status", status=500, times=1)
    with pytest.raises(errors.ServerError):
        client.listing_search(7)


def test_optional_requests_pass_the_gate(client_of, generous_sandbox):
    client = client_of(seller_currency="USD")
    client.market_stats(7, "EUR")
    client.price_suggestions(7)
    client.listing_search(7)
    assert client.requests_sent == generous_sandbox.stats()["accepted"] == 3
    slots = ApiGate.objects.get(egress="test").slots
    assert sum(slot[2] for slot in slots) == 3
