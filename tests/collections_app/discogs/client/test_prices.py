"""The variants in which Discogs sends releases, prices and an identity, with invented contents."""

from decimal import Decimal

import pytest

from collections_app.discogs import errors
from collections_app.discogs.client import SellerSettingsMissing
from collections_app.discogs.gate import FAULTS_TO_OPEN
from collections_app.discogs.market_payloads import MarketStats, Suggestion
from collections_app.discogs.payloads import Identity, MarketStatus
from tests.collections_app.discogs.client.conftest import ABSENT, PAYLOAD, changed_document

pytestmark = pytest.mark.django_db

STATS = "/marketplace/stats/7"
SUGGESTIONS = "/marketplace/price_suggestions/7"


def release(**changed):
    document = {
        "id": 7,
        "status": "Accepted",
        "year": 1974,
        "title": PAYLOAD,
        "artists_sort": "Oray, Delphine",
        "community": {"have": 512, "want": 87, "rating": {"count": 41, "average": 4.37}},
        "num_for_sale": 12,
        "lowest_price": 8.415000000000001,
        "blocked_from_sale": False,
        "tracklist": [{"position": "A1", "type_": "track", "title": "Causeway", "duration": "4:02"}],
        "estimated_weight": 230,
    }
    return changed_document(document, changed)


@pytest.mark.parametrize(
    ("changed", "status", "amount", "listings"),
    [
        ({}, MarketStatus.PRICED, 842, 12),
        ({"lowest_price": 9}, MarketStatus.PRICED, 900, 12),
        ({"lowest_price": 0.99, "num_for_sale": 0}, MarketStatus.PRICED, 99, 0),
        ({"num_for_sale": ABSENT}, MarketStatus.PRICED, 842, None),
        ({"num_for_sale": None}, MarketStatus.PRICED, 842, None),
        ({"blocked_from_sale": ABSENT}, MarketStatus.PRICED, 842, 12),
        ({"blocked_from_sale": None}, MarketStatus.PRICED, 842, 12),
        ({"lowest_price": None, "num_for_sale": 0}, MarketStatus.NONE_FOR_SALE, None, 0),
        ({"lowest_price": None, "num_for_sale": None}, MarketStatus.NONE_FOR_SALE, None, None),
        ({"lowest_price": None, "num_for_sale": 0, "blocked_from_sale": True}, MarketStatus.BLOCKED, None, 0),
        ({"lowest_price": None, "num_for_sale": None, "blocked_from_sale": True}, MarketStatus.BLOCKED, None, None),
        ({"lowest_price": ABSENT, "num_for_sale": ABSENT, "blocked_from_sale": True}, MarketStatus.BLOCKED, None, None),
        ({"blocked_from_sale": True}, MarketStatus.BLOCKED, None, 12),
    ],
)  # fmt: skip
def test_release_market_has_its_status(discogs, changed, status, amount, listings):
    market = discogs.answers(json=release(**changed)).release_market(7)
    assert (market.status, market.amount_minor, market.num_for_sale) == (status, amount, listings)
    assert market.currency == ("USD" if amount else "")


@pytest.mark.parametrize(
    "changed",
    [
        {"lowest_price": ABSENT},
        {"lowest_price": ABSENT, "num_for_sale": 0},
        {"lowest_price": ABSENT, "num_for_sale": ABSENT},
        {"lowest_price": None},  # with twelve listings
        {"lowest_price": None, "num_for_sale": ABSENT},
        {"lowest_price": {"currency": "USD", "value": 8.41}},
        {"lowest_price": "8.41"},
        {"community": []},
        {"id": ABSENT},
    ],
)
def test_release_market_guesses_nothing(discogs, refusal, changed):
    refusal(errors.BadPayload, discogs.answers(json=release(**changed)).release_market, 7)


@pytest.mark.parametrize(
    ("community", "facts"),
    [
        ({"have": 512, "want": 87, "rating": {"count": 41, "average": 4.37}}, (87, 512, 41, 4.37)),
        ({"have": 0, "want": 0, "rating": {"count": 0, "average": 0}}, (0, 0, 0, 0.0)),
        ({"have": 1, "want": 2, "rating": {"count": 0, "average": None}}, (2, 1, 0, None)),
        ({"have": 1, "want": 2}, (2, 1, None, None)),
        ({"rating": {}}, (None, None, None, None)),
        ({}, (None, None, None, None)),
        (ABSENT, (None, None, None, None)),
    ],
)
def test_release_market_reads_the_community(discogs, community, facts):
    market = discogs.answers(json=release(community=community)).release_market(7)
    assert (market.want, market.have, market.rating_count, market.rating_average) == facts


@pytest.mark.parametrize(
    ("document", "stats"),
    [
        (
            {"lowest_price": {"currency": "EUR", "value": 7.69}, "num_for_sale": 12, "blocked_from_sale": False},
            MarketStats("EUR", 769, 12, Decimal("7.69")),
        ),
        (
            {"lowest_price": {"currency": "EUR", "value": 7.690128333}, "num_for_sale": 12},
            MarketStats("EUR", 769, 12, Decimal("7.690128333")),
        ),
        ({"lowest_price": {"value": 8, "currency": "EUR"}}, MarketStats("EUR", 800, None, Decimal(8))),
        ({"lowest_price": None}, MarketStats("EUR", None, None, None)),
        ({"lowest_price": None, "num_for_sale": 0}, MarketStats("EUR", None, 0, None)),
        ({"lowest_price": None, "num_for_sale": None}, MarketStats("EUR", None, None, None)),
        ({"lowest_price": None, "num_for_sale": None, "blocked_from_sale": True}, MarketStats("EUR", None, None, None)),
        (
            {"lowest_price": {"currency": "EUR", "value": 7.69}, "num_for_sale": 1, "blocked_from_sale": True},
            MarketStats("EUR", None, 1, None),
        ),
    ],
)  # fmt: skip
def test_market_stats_in_each_variant(discogs, document, stats):
    assert discogs.answers(STATS, json=document).market_stats(7, "EUR") == stats


@pytest.mark.parametrize(
    "document",
    [
        {"num_for_sale": 0},
        {"is_offensive": False},  # what /releases/{id}/stats sends today
        {"lowest_price": 7.69, "num_for_sale": 1},
        {"lowest_price": {"currency": "USD", "value": 7.69}, "num_for_sale": 1},
        {"lowest_price": {"currency": "EUR"}},
        {"lowest_price": {"currency": "EUR", "value": None}},
        {"lowest_price": {"value": 7.69}},
        {"lowest_price": {"currency": PAYLOAD, "value": 7.69}},
    ],
)
def test_market_stats_of_another_shape(discogs, refusal, document):
    refusal(errors.BadPayload, discogs.answers(STATS, json=document).market_stats, 7, "EUR")


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/oauth/identity", lambda client: client.identity()),
        ("/users/ann/collection/folders", lambda client: client.collection_folders("ann")),
        ("/users/ann/collection/fields", lambda client: client.collection_fields("ann")),
        ("/users/ann/collection/folders/0/releases", lambda client: client.collection_page("ann", 1)),
        ("/users/ann/wants", lambda client: client.wants_page("ann", 1)),
        ("/releases/7", lambda client: client.release_market(7)),
        (STATS, lambda client: client.market_stats(7, "EUR")),
        (SUGGESTIONS, lambda client: client.price_suggestions(7)),
    ],
)
def test_wrong_shapes_open_the_breaker(discogs, refusal, path, call):
    client = discogs.answers(path, json=[PAYLOAD])
    opened = [refusal(errors.BadPayload, call, client).opened_breaker for _ in range(FAULTS_TO_OPEN)]
    assert opened == [False] * (FAULTS_TO_OPEN - 1) + [True]


def test_suggestions_keep_the_order_of_grades(discogs):
    prices = {"Mint (M)": 19.5, "Very Good Plus (VG+)": 13.004999999999999, "Poor (P)": 1}
    document = {grade: {"currency": "GBP", "value": value} for grade, value in prices.items()}
    assert discogs.answers(SUGGESTIONS, json=document).price_suggestions(7) == (
        Suggestion("Mint (M)", "GBP", 1950),
        Suggestion("Very Good Plus (VG+)", "GBP", 1300),
        Suggestion("Poor (P)", "GBP", 100),
    )


def test_suggestions_may_be_none_at_all(discogs):
    assert discogs.answers(SUGGESTIONS, json={}).price_suggestions(7) == ()


@pytest.mark.parametrize(
    "document",
    [
        {"Mint (M)": None},
        {"Mint (M)": 19.5},
        {"Mint (M)": {"currency": "GBP", "value": None}},
        {"Mint (M)": {"currency": "XXX", "value": 1}},
        {"": {"currency": "GBP", "value": 1}},
        {PAYLOAD * 5: {"currency": "GBP", "value": 1}},
        {f"{PAYLOAD} {n}": {"currency": "GBP", "value": 1} for n in range(21)},
        [],
    ],
)
def test_suggestions_of_another_shape(discogs, refusal, document):
    refusal(errors.BadPayload, discogs.answers(SUGGESTIONS, json=document).price_suggestions, 7)


def test_suggestions_404_is_about_seller_settings(discogs, refusal):
    client = discogs.answers(SUGGESTIONS, status=404, json={"message": PAYLOAD})
    assert refusal(SellerSettingsMissing, client.price_suggestions, 7).kind == errors.Kind.SELLER_SETTINGS


@pytest.mark.parametrize("consumer", [{"consumer_name": PAYLOAD}, {"consumer_name": None}, {}])
def test_identity_needs_id_and_name(discogs, consumer):
    document = {"id": 3, "username": "crate_owner", "resource_url": "https://api.discogs.com/x"} | consumer
    assert discogs.answers("/oauth/identity", json=document).identity() == Identity(3, "crate_owner")


@pytest.mark.parametrize(
    "document",
    [
        {"id": 3},
        {"username": PAYLOAD},
        {"id": 3, "username": ""},
        {"id": 3, "username": None},
        {"id": "3", "username": PAYLOAD},
        {"id": 3, "username": PAYLOAD * 20},
        {"id": -1, "username": PAYLOAD},
    ],
)
def test_identity_of_another_shape(discogs, refusal, document):
    refusal(errors.BadPayload, discogs.answers("/oauth/identity", json=document).identity)
