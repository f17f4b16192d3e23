"""The optional price sources: their answers read, and their traps met at the client."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.currencies import CODES, CURRENCIES
from collections_app.discogs import errors
from collections_app.discogs.client import Credentials, DiscogsClient, SellerSettingsMissing
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.gate import Gate, Pace
from collections_app.discogs.json_values import parse_json
from collections_app.discogs.market_payloads import (
    MAX_RANGE_MINOR,
    CollectionRange,
    MarketStats,
    Suggestion,
    parse_collection_range,
    parse_market_stats,
    parse_suggestions,
)
from collections_app.models import ApiGate
from collections_app.sandbox.api.documents import money
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


def value_of(text: str, *, account_currency: str = "") -> tuple[str, int]:
    data = dict.fromkeys(("minimum", "median", "maximum"), text)
    found = parse_collection_range(data, account_currency=account_currency)
    assert found.minimum_minor == found.median_minor == found.maximum_minor
    return found.currency, found.maximum_minor


def test_range_is_read_as_discogs_documents_it():
    data = {"minimum": "€240.16", "median": "€668.62", "maximum": "€1,458.87"}
    assert parse_collection_range(data) == CollectionRange("EUR", 24016, 66862, 145887)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("$0.00", "USD", 0),
        ("US$12.30", "USD", 1230),
        ("£1,234,567.89", "GBP", 123456789),
        ("CA$12.00", "CAD", 1200),
        ("A$12.00", "AUD", 1200),
        ("MX$12,000.50", "MXN", 1200050),
        ("NZ$1.00", "NZD", 100),
        ("R$1.234,56", "BRL", 123456),
        ("R 1 234,56", "ZAR", 123456),
        ("ZAR1,234.56", "ZAR", 123456),
        ("CHF1'234.56", "CHF", 123456),
        ("CHF 1’234.56", "CHF", 123456),
        ("SEK1,234.56", "SEK", 123456),
        ("1\u00a0234,56\u00a0kr", "SEK", 123456),
        ("1.458,87 €", "EUR", 145887),
        ("1234567.89 EUR", "EUR", 123456789),
        ("€1,458", "EUR", 145800),
        ("€1.458", "EUR", 145800),
        ("€14,58", "EUR", 1458),
        ("¥12,300", "JPY", 12300),
        ("￥12300", "JPY", 12300),
    ],
)
def test_range_is_read_in_every_style(text, currency, minor):
    assert value_of(text) == (currency, minor)


@pytest.mark.parametrize(("known", "currency"), [("", "USD"), ("AUD", "AUD"), ("EUR", "USD"), ("???", "USD")])
def test_shared_sign_means_the_accounts_currency(known, currency):
    assert value_of("$5.00", account_currency=known) == (currency, 500)
    assert value_of("CA$5.00", account_currency=known) == ("CAD", 500)


@pytest.mark.parametrize(
    "text",
    [
        "", "€", "12.00", "€-1.00", "-€1.00", "€−1.00", "€ 1.00 €", "€1.2", "€1.234.5", "€1,2345.00",
        "€1,234,56", "€1.234.56", "€1 23", "₿1.00", "XYZ1.00", "¥12,300.50", "€٣.00", "€1e5", "€" + "9" * 39,
        "€99,999,999,999,999.00", "€1.00\u202e", "free", "€1.00 or more",
    ],
)  # fmt: skip
def test_text_that_is_no_amount_is_refused(text):
    with pytest.raises(BadPayload):
        value_of(text)


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"minimum": "€1.00", "median": "€2.00"},
        {"minimum": "€1.00", "median": "€2.00", "maximum": 3},
        {"minimum": "€1.00", "median": "€2.00", "maximum": None},
        {"minimum": "€1.00", "median": "€2.00", "maximum": "£3.00"},
        {"minimum": "€3.00", "median": "€2.00", "maximum": "€1.00"},
        {"minimum": "€1.00", "median": "€3.00", "maximum": "€2.00"},
    ],
)
def test_garbage_is_no_range(data):
    with pytest.raises(BadPayload):
        parse_collection_range(data)


@given(minor=st.integers(0, MAX_RANGE_MINOR), currency=st.sampled_from(CODES))
def test_every_amount_that_discogs_formats_is_read(minor, currency):
    digits = CURRENCIES[currency].digits
    assert value_of(money(Decimal(minor).scaleb(-digits), currency)) == (currency, minor)


AMOUNT_TEXTS = st.text("0123456789.,'’ -$€¥£RkrCHF\u00a0", max_size=14) | st.text(max_size=8)


@given(st.fixed_dictionaries(dict.fromkeys(("minimum", "median", "maximum"), AMOUNT_TEXTS | JSON)), JSON)
def test_any_range_is_in_order_or_refused(data, other):
    for each in (data, other, dict.fromkeys(data, data["median"])):
        try:
            found = parse_collection_range(each)
        except BadPayload:
            continue
        assert 0 <= found.minimum_minor <= found.median_minor <= found.maximum_minor <= MAX_RANGE_MINOR
        assert found.currency in CURRENCIES


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


def test_range_of_the_own_collection_only(client_of, generous_sandbox):
    client = client_of(curr_abbr="EUR")
    found = client.collection_range("seller")
    assert found.currency == "EUR"
    assert 0 < found.minimum_minor < found.median_minor < found.maximum_minor
    with pytest.raises(errors.AccessDenied):
        client.collection_range("crate_demo")


def test_optional_requests_pass_the_gate(client_of, generous_sandbox):
    client = client_of(seller_currency="USD")
    client.market_stats(7, "EUR")
    client.price_suggestions(7)
    client.listing_search(7)
    assert client.requests_sent == generous_sandbox.stats()["accepted"] == 3
    slots = ApiGate.objects.get(egress="test").slots
    assert sum(slot[2] for slot in slots) == 3
