"""The pages with prices, through the client: who may see what, what they show, how much they ask the database."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pricing.models import PriceJob, PriceSnapshot
from tests import factories as make

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'"


@pytest.fixture
def collection():
    return make.make_connection()


@pytest.fixture
def show(client, collection):
    """GET as the collector; returns the text."""
    client.force_login(collection.user)

    def get(address, **query):
        response = client.get(address, query)
        assert response.status_code == 200, response.status_code
        return response.content.decode()

    return get


def queries_of(client, address):
    client.get(address)  # sessions and content types settle
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", ["dashboard", "collection", "accuracy", "release", "syncs", "sync_run"])
def test_query_count_is_constant(client, collection, name):
    client.force_login(collection.user)
    now = timezone.now()
    make.fill_collection(collection, 3, now=now)
    make.make_copy(collection)  # without a price
    make.make_run(collection, "finished", rose=1, fell=0, found_minor=100, expected_variance=9.0)
    first = collection.instances.first().release_id
    run = make.make_run(collection)
    make.make_item(run, collection.instances.first().release, "recorded")
    arguments = {"release": [first], "sync_run": [run.pk]}.get(name, [])
    address = reverse(name, args=arguments)
    few = queries_of(client, address)
    for ago in (45, 46, 47):
        for copy in list(collection.instances.all()):
            make.make_snapshot(copy.release, 700, day=now.date() - timedelta(days=ago))
        make.make_value(collection, 100, day=now.date() - timedelta(days=ago))
    for _ in range(2):
        make.make_run(collection, "finished", rose=1, fell=0, found_minor=100, expected_variance=9.0)
    for number in range(20):
        make.make_copy(collection)
        release = make.make_release(genres=[f"Genre {number}"])
        make.make_copy(collection, release, folder=make.make_folder(collection, f"Folder {number}"))
        make.make_price(release, 5000 + number)
        make.make_item(run, release, "recorded" if number % 2 else "dead")
    assert queries_of(client, address) == few


def test_dashboard_shows_value_and_coverage(show, collection):
    then = timezone.now() - timedelta(days=91)
    release = make.make_copy(collection, added_at=then).release
    make.make_price(release, 123456, num_for_sale=7, want=31)
    make.make_snapshot(release, 100000, day=then.date())
    make.make_copy(collection, added_at=then)
    make.make_value(collection, 100000, day=then.date(), instances=2)
    html = show("/dashboard/")
    assert '$1,234<span class="minor">.56</span>' in html
    assert "1 of 2 priced" in html
    assert "1 at the lowest listing: a floor" in html
    assert '<span class="vh">up </span>$234.56' in html
    assert "23.5 %" in html
    assert "Data provided by Discogs." in html


def headline(html):
    """The headline and the tiles: what shows how the collection has changed."""
    return (
        re.search(r'<p class="change">.*?</p>', html, re.S)[0]
        + re.search(r'<dl class="tiles">.*?</dl>', html, re.S)[0]
    )


def grown(collection, *, added, removed=0):
    """A collection whose value rose from $100.00 to $157.30, and which has since changed by so many copies."""
    now = timezone.now()
    old, new, gone = now - timedelta(days=400), now - timedelta(days=5), now - timedelta(days=2)
    release = make.make_copy(collection, added_at=old).release
    make.make_price(release, 15730, num_for_sale=7, want=31)
    make.make_snapshot(release, 10000, day=now.date() - timedelta(days=30))
    for _ in range(added):
        make.make_price(make.make_copy(collection, added_at=new).release, 500, num_for_sale=0, want=0)
    for _ in range(removed):
        sold = make.make_copy(collection, added_at=old, removed_at=gone).release
        make.make_snapshot(sold, 700, day=now.date() - timedelta(days=30))
    for _ in range(3):
        make.make_copy(collection, added_at=new, removed_at=gone)  # neither on the first day nor on the last
    value = 10000 + removed * 700
    make.make_value(collection, value, day=now.date() - timedelta(days=30), instances=1 + removed)


@pytest.mark.parametrize(("added", "removed"), [(13, 0), (0, 1), (2, 2)])
def test_purchases_are_shown_as_no_gain(show, collection, added, removed):
    grown(collection, added=added, removed=removed)
    page = show("/dashboard/", range="1m")
    html = headline(page)
    assert '<span class="vh">up </span>$57.30</span>' in html
    assert '<span class="up">57.3 %</span>' in html
    assert "by prices in a month" in html
    assert "+2" in html  # listings for sale: 5, now 7
    assert "55.0 %" not in html
    steps = re.findall(r'\?part=(\w+)&amp;range=1m">.*?· (\d+) cop.*?<b>(.*?)</b>', page, re.S)
    expected = [("price", "1", "+$57.30")]
    expected += [("added", str(added), f"+${added * 5:.2f}")] * bool(added)
    expected += [("removed", str(removed), f"−${removed * 7:.2f}")] * bool(removed)
    assert steps == expected


@pytest.mark.parametrize("part", ["price", "added", "removed"])
def test_step_opens_its_copies(show, collection, part):
    grown(collection, added=2, removed=3)
    html = show("/collection/", part=part, range="1m")
    total = {"price": "+$57.30", "added": "+$10.00", "removed": "−$21.00"}[part]
    assert f'<b class="strong">{total}</b>' in html
    assert html.count('<td class="c-title">') == {"price": 1, "added": 2, "removed": 3}[part]
    assert bool(re.search("Left (?!out)", html)) == (part == "removed")


def test_rise_of_the_same_copies_is_a_gain(show, collection):
    grown(collection, added=0)
    html = headline(show("/dashboard/", range="1m"))
    assert '<span class="delta strong up">' in html
    assert '<span class="vh">up </span>$57.30</span>' in html
    assert "+" not in html  # the arrow says it already, and its words do to a screen reader
    assert "57.3 %" in html
    assert "includes" not in html


def test_purchase_leaves_a_releases_own_change(show, collection):
    grown(collection, added=13)
    release = collection.instances.earliest("added_at").release
    assert '<span class="delta up">' in (html := show(f"/release/{release.pk}/", range="all"))
    assert "57.3 %" in html
    assert "57.3 %" in show("/dashboard/", range="1m")  # among the gainers


def test_range_is_kept_from_page_to_page(show, collection):
    make.make_price(make.make_copy(collection).release, 100)
    make.make_value(collection, 50, day=timezone.now().date() - timedelta(days=400))
    make.make_value(collection, 60, day=timezone.now().date() - timedelta(days=300))
    current = re.compile(r'range=(\w+)"\s+aria-current')
    assert current.search(show("/dashboard/"))[1] == "3m"
    assert current.search(show("/dashboard/", range="1y"))[1] == "1y"
    assert current.search(show("/dashboard/"))[1] == "1y"
    assert current.search(show("/dashboard/", range="<b>"))[1] == "3m"


def test_ranges_beyond_history_are_not_links(show, collection):
    make.make_price(make.make_copy(collection).release, 100)
    make.make_value(collection, 50, day=timezone.now().date() - timedelta(days=40))
    html = show("/dashboard/")
    assert "?range=1m" in html
    assert "?range=1y" not in html
    assert "does not reach back that far" in html


def test_invented_history_is_marked(show, collection):
    release = make.make_copy(collection).release
    make.make_price(release, 100)
    day = timezone.now().date() - timedelta(days=8)
    make.make_value(collection, 100, day=day)
    make.make_snapshot(release, 100, day=day, source=PriceSnapshot.Source.DEMO)
    assert "demo data" in show("/dashboard/")
    assert "demo data" in show(f"/release/{release.pk}/")
    PriceSnapshot.objects.update(source="discogs")
    assert "demo data" not in show("/dashboard/")
    assert "demo data" not in show(f"/release/{release.pk}/")


@pytest.mark.parametrize("group", ["genre", "decade", "format", "folder", "nonsense"])
def test_value_is_shown_by_any_grouping(show, collection, group):
    make.make_price(make.make_copy(collection, make.make_release(genres=["Jazz"])).release, 4200)
    html = show("/dashboard/", group=group)
    assert "Where the value is" in html
    assert "$42" in html


def test_unconnected_user_is_shown_the_way(client, make_user):
    client.force_login(make_user("new"))
    assert "/connect/" in client.get("/dashboard/").content.decode()
    assert client.get("/collection/").url == "/connect/"
    assert "Connect Discogs" in client.get("/syncs/").content.decode()


def test_empty_site_names_the_next_step(show):
    assert "Nothing has been imported yet" in show("/dashboard/")
    assert "Nothing has been imported yet" in show("/collection/")


def test_missing_prices_are_a_dash_never_zero(show, collection):
    make.make_copy(collection)
    make.make_run(collection)
    make.make_heartbeat(role="supervisor", seen_at=timezone.now())
    html = show("/dashboard/")
    assert "First prices are being fetched" in html
    assert "$0" not in html


def test_headline_is_live_during_a_run(client, show, collection):
    make.make_price(make.make_copy(collection).release, 100)
    run = make.make_run(collection)
    with time_machine.travel(timezone.now(), tick=False):
        fragment, page = show("/dashboard/headline/"), show("/dashboard/")
    assert 'hx-trigger="every 3s"' in fragment
    figures = fragment[fragment.index('<div id="figures"') : fragment.index("<aside")].strip()
    token = re.compile(r'(name="csrfmiddlewaretoken" value=)"\w+"')
    assert token.sub(r"\1", figures) in token.sub(r"\1", page)
    run.state = "finished"
    run.save()
    response = client.get("/dashboard/headline/")
    assert response["HX-Refresh"] == "true"
    assert b"hx-trigger" not in response.content


@pytest.mark.parametrize(
    ("state", "says", "offers"),
    [
        ("reconnect_needed", "Discogs no longer accepts your connection", "Reconnect"),
        ("private", "your collection is private", "Check again"),
        ("gone", "any more", "Check again"),
    ],
)
def test_connection_failure_is_on_every_page(show, collection, state, says, offers):
    assert 'class="trouble"' not in show("/dashboard/")
    collection.state = state
    collection.save()
    for address in ("/dashboard/", "/collection/", "/syncs/", "/settings/"):
        banner = show(address).partition('class="trouble"')[2].partition("</section>")[0]
        assert says in banner, address
        assert banner.count('class="btn"') == 1  # one thing to do
        assert offers in banner


@pytest.mark.parametrize("has_copies", [True, False])
@pytest.mark.parametrize(
    ("state", "then"),
    [("private", "your collection is public"), ("gone", "Discogs knows your account again")],
)
def test_check_again_is_offered_once(show, collection, state, then, has_copies):
    if has_copies:
        make.make_copy(collection)
    collection.state = state
    collection.save()
    for address in ("/dashboard/", "/collection/", "/syncs/"):
        html = show(address)
        assert html.count("Check again") == 1, address
        assert "Sync now" not in html, address
    assert then in show("/dashboard/")
    assert then in show("/syncs/")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("active", "You are"),
        ("private", "You are"),
        ("reconnect_needed", "You were"),
        ("unreadable", "You were"),
    ],
)
def test_connect_page_says_are_or_were(show, collection, state, says):
    collection.state = state
    collection.save()
    assert f"{says} connected as" in show("/connect/")


def test_another_users_failure_is_not_shown(show, collection):
    make.make_connection("other", state="reconnect_needed")
    assert 'class="trouble"' not in show("/dashboard/")


@pytest.mark.parametrize("address", ["/dashboard/", "/collection/", "/release/77/", "/syncs/"])
def test_hostile_text_is_escaped(show, collection, address):
    now = timezone.now()
    release = make.make_release(
        discogs_id=77,
        title=HOSTILE,
        artists=HOSTILE,
        labels=HOSTILE,
        catalog_number=HOSTILE,
        format=HOSTILE,
        genres=[HOSTILE],
        styles=[HOSTILE],
        thumb_url="javascript:alert(1)",
        cover_url='https://i.discogs.com/"onerror="alert(1)',
    )
    folder = make.make_folder(collection, HOSTILE)
    make.make_copy(
        collection, release, notes=HOSTILE, media_condition=HOSTILE, sleeve_condition=HOSTILE, folder=folder
    )
    make.make_price(release, 5000)
    make.make_snapshot(release, 100, day=now.date() - timedelta(days=30))
    make.make_value(collection, 100, day=now.date() - timedelta(days=30))
    for group in ("genre", "format", "folder"):
        html = show(address, q="<script>alert", group=group, sort="<b>", folder=HOSTILE) if group else ""
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert 'javascript:alert(1)"' not in html
        assert '"onerror="' not in html


def test_pages_have_no_inline_code(show, collection):
    now = timezone.now()
    make.fill_collection(collection, 3, now=now)
    make.make_run(collection)
    release = collection.instances.first().release_id
    for address in (
        "/dashboard/",
        "/collection/",
        f"/release/{release}/",
        "/syncs/",
        "/settings/",
        "/connect/",
    ):
        html = show(address)
        assert " style=" not in html, address
        assert "<style" not in html, address
        assert not re.search(r"\son\w+=", html), address
        scripts = re.findall(r"<script([^>]*)>", html)
        assert all("src=" in tag or "application/json" in tag for tag in scripts), address


def test_list_keeps_filters_when_sorted_or_paged(show, collection):
    for _ in range(51):
        make.make_copy(collection, make.make_release(title="same"))
    html = show("/collection/", q="same", sort="title")
    assert "?q=same&amp;sort=-title" in html
    assert "?q=same&amp;sort=title&amp;page=2" in html
    assert 'aria-sort="ascending"' in html


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [("1", "1* 2 … 9"), ("5", "1 … 4 5* 6 … 9"), ("9", "1 … 8 9*"), ("400", "1 … 8 9*"), ("x", "1* 2 … 9")],
)
def test_pager_links_pages_around_the_current(show, collection, monkeypatch, asked, numbers):
    monkeypatch.setattr("pricing.pages.tables.collection.PAGE_SIZE", 2)
    for _ in range(17):
        make.make_copy(collection)
    html = show("/collection/", page=asked, garbage="1", sort="title")
    pills = re.search(r'<div class="pills">(.*?)</div>', html, re.S)[1]
    link = r'<a href="[^"]*"\s*(aria-current="page")?[^>]*><span[^>]*>Page </span>(\d+)|<span>(…)'
    shown = [(number + "*" * bool(current)) or gap for current, number, gap in re.findall(link, pills)]
    assert " ".join(shown) == numbers
    assert 'href="?sort=title&amp;page=1"' in pills
    assert "garbage" not in html


def test_search_without_a_hit_says_so(show, collection):
    make.make_copy(collection)
    assert "No copies match" in show("/collection/", q="zzz")


def test_two_copies_of_a_release_are_two_rows(show, collection):
    copy = make.make_copy(collection, make.make_release(title="Twice"))
    make.make_copy(collection, copy.release)
    assert show("/collection/").count(">Twice</b>") == 2


@pytest.mark.parametrize("bond", ["owned", "once owned", "wanted"])
def test_release_is_shown_to_related_users(show, collection, bond):
    release = make.make_release(title="Mine")
    if bond == "wanted":
        make.make_want(collection, release)
    else:
        make.make_copy(collection, release, removed_at=None if bond == "owned" else timezone.now())
    assert "Mine" in show(f"/release/{release.pk}/")


def test_another_users_release_is_404(client, collection):
    foreign = make.make_copy(make.make_connection("other")).release
    client.force_login(collection.user)
    assert client.get(f"/release/{foreign.pk}/").status_code == 404
    assert client.get("/release/99999999/").status_code == 404


def test_release_shows_market_and_history(show, collection):
    now = timezone.now()
    release = make.make_release(title="Mine")
    make.make_copy(collection, release, media_condition="Very Good Plus (VG+)", notes="warped", added_at=now)
    make.make_price(release, 2500, want=50, have=25, rating_count=8, rating_average=4.25)
    for ago, amount in ((40, 2000), (20, None), (0, 2500)):
        make.make_snapshot(release, amount, day=now.date() - timedelta(days=ago))
    html = show(f"/release/{release.pk}/")
    assert "$25.00" in html
    assert "$20.00" in html
    assert "25.0 %" in html
    assert re.search(r"for each 100 who have it</small>\s*<b>200</b>", html)
    assert "warped" in html
    assert f"/release/{release.pk}" in html
    assert '"price": [2000, null, null, null, 2500]' in html
    assert "None for sale" in html


def test_unfetched_release_says_so(show, collection):
    release = make.make_copy(collection).release
    html = show(f"/release/{release.pk}/")
    assert "Never fetched" in html
    assert "No price has been fetched yet" in html


def test_release_check_is_for_its_owner_only(client, collection, make_user):
    release = make.make_copy(collection).release
    client.force_login(collection.user)
    assert client.post(f"/release/{release.pk}/check/").url == f"/release/{release.pk}/"
    assert PriceJob.objects.get().lane == PriceJob.Lane.INTERACTIVE
    assert client.get(f"/release/{release.pk}/check/").status_code == 405
    client.force_login(make_user("somebody"))
    assert client.post(f"/release/{release.pk}/check/").status_code == 404


@pytest.mark.parametrize("decade", ["²s", "٣s", "s", "1980", "-10s", "9" * 40 + "s"])
def test_invalid_decade_is_empty_or_ignored(show, collection, decade):
    show(f"/collection/?decade={decade}")
