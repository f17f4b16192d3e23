"""The value by each definition: converted like everything else, and Discogs' own figures exactly in their currency."""

import re
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from pricing.models import DiscogsRange, ExchangeRate
from pricing.money.convert import Rate
from pricing.money.display import Display, active
from pricing.pages.queries.definitions import definitions_for
from pricing.templatetags import figures
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
EXACT = ["€240.16", "€668.62", "€1,458.87"]


@pytest.fixture
def owner():
    connection = make.make_connection()
    make_range(connection)
    return connection


def make_range(connection, *, ago=0, currency="EUR", amounts=(24_016, 66_862, 145_887)):
    low, middle, high = amounts
    return DiscogsRange.objects.create(
        connection=connection,
        day=timezone.now().astimezone(UTC).date() - ago * DAY,
        currency=currency,
        minimum_minor=low,
        median_minor=middle,
        maximum_minor=high,
    )


def make_rate(currency, per_usd):
    now = timezone.now()
    ExchangeRate.objects.create(
        currency=currency, micros_per_usd=int(Decimal(per_usd) * 1_000_000), observed_at=now
    )
    return Rate(currency, Decimal(per_usd), now)


def shown(owner, display=None, **totals):
    """The definitions, and the page as a user with this display sees it."""
    now = timezone.now()
    totals.setdefault("total_minor", 50_000)
    with active(lambda: display or Display()):
        found = definitions_for(owner.user_id, now=now, as_of=now, **totals)
        page = render_to_string("pages/_definitions.html", {"definitions": found, "collection_path": "/x"})
    return found, page


def amounts_on(page):
    return re.findall(r'<p class="n">(.+?)</p>', page)


def test_range_in_the_users_currency_is_shown_as_discogs_gave_it(owner):
    display = Display(currency="EUR", rate=make_rate("EUR", "0.913771"))
    _, page = shown(owner, display, by_grade_minor=70_000)
    assert amounts_on(page) == ["€456.89", "€639.64", *EXACT]


def test_range_in_another_currency_is_converted(owner):
    make_rate("EUR", "0.8")
    found, page = shown(owner)
    assert amounts_on(page) == ["$500.00", "$300.20", "$835.78", "$1,823.59"]
    assert found.bar is not None
    pounds = Display(currency="GBP", rate=Rate("GBP", Decimal("0.5"), timezone.now()))
    assert amounts_on(shown(owner, pounds)[1]) == ["£250.00", "£150.10", "£417.89", "£911.80"]


def test_range_in_usd_needs_no_rate(owner):
    make_range(owner, ago=-1, currency="USD")
    assert amounts_on(shown(owner)[1]) == ["$500.00", "$240.16", "$668.62", "$1,458.87"]


def test_without_a_rate_the_range_is_listed_but_not_compared(owner):
    found, page = shown(owner)
    assert found.bar is None
    assert "<svg" not in page
    assert amounts_on(page) == ["$500.00", *EXACT]


def test_marks_stand_in_order_on_one_scale(owner):
    make_rate("EUR", "1")
    found, page = shown(owner, by_grade_minor=70_000)
    assert [label.x for label in found.bar.theirs] == ["16.46%", "45.83%", "100.00%"]
    assert [label.x for label in found.bar.ours] == ["34.27%", "47.98%"]
    assert found.bar.span == ("16.46%", "83.54%")
    assert re.findall(r"<text[^>]*>(.+?)</text>", page) == [
        "Listings",
        "By grade",
        "Minimum",
        "Median",
        "Maximum",
    ]


def test_missing_totals_are_left_out(owner):
    make_rate("EUR", "1")
    found, page = shown(owner, total_minor=None)
    assert found.ours == []
    assert amounts_on(page) == ["$240.16", "$668.62", "$1,458.87"]


def test_amounts_are_hidden_from_list_and_drawing(owner):
    make_rate("EUR", "1")
    _, page = shown(owner, Display(hides_amounts=True), by_grade_minor=70_000)
    assert all("hidden" in amount for amount in amounts_on(page))
    for digits in ("240", "668", "1,458", "145887", "50000", "700"):
        assert digits not in page


def test_newest_range_is_shown_with_its_day(owner):
    make_rate("EUR", "1")
    make_range(owner, ago=1, amounts=(1, 2, 3))
    found, page = shown(owner)
    assert found.row.minimum_minor == 24_016
    assert page.count(f", {figures.day(found.row.day)}</p>") == 3
    assert "moments ago" in page


def test_old_range_is_not_shown():
    connection = make.make_connection()
    assert shown_or_none(connection) is None
    make_range(connection, ago=31)
    assert shown_or_none(connection) is None


def test_other_users_range_is_not_shown(owner):
    assert shown_or_none(make.make_connection("other")) is None


def test_collection_without_value_has_no_bar():
    connection = make.make_connection()
    make_range(connection, currency="USD", amounts=(0, 0, 0))
    found, page = shown(connection, total_minor=0)
    assert found.bar is None
    assert amounts_on(page) == ["$0.00"] * 4


def shown_or_none(connection):
    return definitions_for(connection.user_id, total_minor=5, now=timezone.now())


def test_definitions_cost_two_queries_at_most(owner, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        definitions_for(owner.user_id, total_minor=5, by_grade_minor=6, now=timezone.now())
