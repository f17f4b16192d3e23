"""The bar of definitions: at every width its labels meet neither each other nor the lines of other marks."""

from itertools import combinations

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Page

from pricing.models import DiscogsRange
from pricing.pages.queries.definitions import definitions_for
from tests.browser.test_pages import connection, log_in
from tests.browser.test_widths import sizes

__all__ = ["connection"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (320, 390, 480, 640, 864, 900, 1280)
SHOW = "html => { document.querySelector('main .two, main').insertAdjacentHTML('afterbegin', html) }"


def show(page: Page, connection, amounts: tuple[int, ...]) -> None:
    """Put the bar on the page: our two totals, and Discogs' three amounts."""
    now = timezone.now()
    total, by_grade, low, middle, high = amounts
    DiscogsRange.objects.create(
        connection=connection,
        day=now.date(),
        currency="USD",
        minimum_minor=low,
        median_minor=middle,
        maximum_minor=high,
    )
    found = definitions_for(
        connection.user_id, total_minor=total, by_grade_minor=by_grade, as_of=now, now=now
    )
    page.evaluate(SHOW, render_to_string("pages/_definitions.html", {"definitions": found}))


def overlaps(one: dict[str, float], other: dict[str, float]) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


@pytest.mark.parametrize(
    "amounts",
    [
        (50_000, 70_000, 46_500, 89_000, 187_000),
        (50_000, 50_100, 50_000, 50_050, 50_100),
        (2_000, 99_000, 1_000, 1_100, 100_000),
        (60_000, 140_000, 1_000, 98_000, 100_000),
    ],
)
def test_marks_never_collide(live_server, browser_page, connection, amounts):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/")
    show(browser_page, connection, amounts)
    for width in WIDTHS:
        browser_page.set_viewport_size({"width": width, "height": 900})
        texts = sizes(browser_page, ".marks text")
        lines = sizes(browser_page, ".marks line")
        (bar,) = sizes(browser_page, ".marks .track")
        assert len(texts) == len(lines) == 5
        assert not [pair for pair in combinations(texts, 2) if overlaps(*pair)], width
        assert not [1 for text in texts for line in lines if overlaps(text, line)], width
        for text in texts:
            assert text["x"] >= bar["x"] - 1, width
            assert text["x"] + text["width"] <= bar["x"] + bar["width"] + 1, width
        assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
