"""A value of the owner's own, set and withdrawn on the release page and for a whole list."""

import re
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from collections_app.models import CollectionInstance, OwnValue, Preferences
from pricing.models import ExchangeRate, ValueRequest
from pricing.money.convert import Rate
from pricing.money.display import Display
from pricing.money.locales import TAGS
from pricing.pages.own_value_forms import OwnValueForm
from pricing.value.own import set_own
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = timezone.now()
RELEASE = 4711


@pytest.fixture
def collection():
    return make.make_connection()


@pytest.fixture
def copy(collection):
    return make.make_copy(collection, make.make_release(discogs_id=RELEASE, genres=["Jazz"]))


@pytest.fixture
def owner(client, collection):
    client.force_login(collection.user)
    return client


def choose(collection, currency="USD", *, micros=None, **chosen):
    Preferences.objects.update_or_create(user=collection.user, defaults={"currency": currency, **chosen})
    if micros:
        ExchangeRate.objects.create(currency=currency, micros_per_usd=micros, observed_at=NOW)


def post(client, copy, **values):
    return client.post(f"/copy/{copy.pk}/value/", values, follow=True)


def text_of(response):
    return " ".join(response.content.decode().split())


def stored():
    rows = OwnValue.objects.order_by("copy", "set_at")
    return list(rows.values_list("copy", "amount_minor", "currency", "note"))


# By hand ---------------------------------------------------------------------------------------------


def test_value_is_saved_and_shown_with_date_and_note(owner, collection, copy):
    answer = post(owner, copy, amount="$1,250.50", note="Signed <b>by all</b>")
    assert answer.redirect_chain == [(f"/release/{RELEASE}/", 302)]
    text = text_of(answer)
    assert "Your value is saved." in text
    assert "<b>$1,250.50</b>" in text
    assert "Signed &lt;b&gt;by all&lt;/b&gt;" in text
    assert 'value="1,250.50"' in text  # in the form, to be changed
    assert stored() == [(copy.pk, 125_050, "USD", "Signed <b>by all</b>")]
    assert ValueRequest.objects.get().user == collection.user
    assert ValueRequest.objects.get().is_urgent


def test_value_is_withdrawn(owner, copy):
    post(owner, copy, amount="5", note="")
    text = text_of(post(owner, copy, action="withdraw", amount="not looked at"))
    assert "Your value is withdrawn." in text
    assert "$5.00" not in text
    assert [row[1] for row in stored()] == [500, None]
    assert "Your value is withdrawn." in text_of(post(owner, copy, action="withdraw"))  # a second click
    assert len(stored()) == 2


def test_value_is_in_the_users_currency(owner, collection, copy):
    choose(collection, "JPY", micros=150_000_000)
    assert "¥3,000" in text_of(post(owner, copy, amount="3,000", note=""))
    assert stored() == [(copy.pk, 3000, "JPY", "")]
    assert CollectionInstance.objects.get().own_minor == 20_00


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("", "Type an amount first."),
        ("about ten", "This is not an amount from 0 to 10 million."),
        ("-5", "This is not an amount from 0 to 10 million."),
        ("10000000.01", "This is not an amount from 0 to 10 million."),
        ("1" * 41, "That is too long for an amount."),
        ("€ 20", "This is read as an amount in EUR, and you have chosen USD for the site."),
    ],
)
def test_unusable_amount_is_refused_at_the_form(owner, copy, amount, reason):
    answer = owner.post(f"/copy/{copy.pk}/value/", {"amount": amount, "note": "kept as typed"})
    text = text_of(answer)
    assert answer.status_code == 200
    assert reason in text
    assert "Your value was not saved; it is as before." in text
    assert 'class="own-value" open' in text
    assert "kept as typed</textarea>" in text
    assert f'value="{amount}"' in text or not amount
    assert (stored(), ValueRequest.objects.exists()) == ([], False)


def test_longest_note_and_largest_amount_are_accepted(owner, copy):
    post(owner, copy, amount="10,000,000", note="x" * 500)
    assert stored() == [(copy.pk, 1_000_000_000, "USD", "x" * 500)]
    assert "A note has at most 500 characters." in text_of(post(owner, copy, amount="1", note="x" * 501))
    assert "Null characters are not allowed" in text_of(post(owner, copy, amount="1", note="a\x00b"))
    assert len(stored()) == 1


def test_value_without_a_rate_is_refused(owner, collection, copy):
    choose(collection, "EUR")
    text = text_of(post(owner, copy, amount="20", note=""))
    assert "There is no exchange rate for EUR yet" in text
    assert not stored()


@pytest.mark.parametrize("make_theirs", [make.make_copy, None])
def test_only_held_copies_of_the_user_can_be_changed(owner, collection, copy, make_theirs):
    other = make_theirs(make.make_connection("other")) if make_theirs else copy
    if not make_theirs:
        CollectionInstance.objects.update(removed_at=NOW)
    for values in ({"amount": "5"}, {"amount": "wrong"}, {"action": "withdraw"}):
        assert owner.post(f"/copy/{other.pk}/value/", values).status_code == 404
    assert owner.post(f"/copy/{10**30}/value/", {"amount": "5"}).status_code == 404
    assert owner.get(f"/copy/{copy.pk}/value/").status_code == 405
    assert not stored()


def test_each_copy_has_a_form_of_its_own(owner, collection, copy):
    second = make.make_copy(collection, copy.release)
    sold = make.make_copy(collection, copy.release)
    set_own(collection.user_id, [sold.pk], amount_minor=700, currency="USD", note="sold", now=NOW)
    CollectionInstance.objects.filter(pk=sold.pk).update(removed_at=NOW)
    html = owner.get(f"/release/{RELEASE}/").content.decode()
    assert re.findall(r"/copy/(\d+)/value/", html) == [str(copy.pk), str(second.pk)]
    assert "$7.00" in html  # history
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    wrong = owner.post(f"/copy/{second.pk}/value/", {"amount": "wrong"}).content.decode()
    assert wrong.count('class="own-value" open') == 1
    assert f'id="copy_{second.pk}_amount_error"' in wrong


def test_release_page_reads_own_values_with_one_query(owner, collection, copy):
    def queries_of_page():
        with CaptureQueriesContext(database) as found:
            owner.get(f"/release/{RELEASE}/")
        return len(found)

    others = [make.make_copy(collection, copy.release) for _ in range(3)]
    owner.get(f"/release/{RELEASE}/")  # what a session reads once
    none = queries_of_page()
    set_own(collection.user_id, [copy.pk], amount_minor=7, currency="USD", note="", now=NOW)
    one = queries_of_page()
    ids = [each.pk for each in others]
    set_own(collection.user_id, ids, amount_minor=7, currency="USD", note="", now=NOW)
    assert queries_of_page() == one == none + 1


def test_hidden_values_are_in_no_form(owner, collection, copy):
    post(owner, copy, amount="7654.32", note="paid 7654 for it")
    choose(collection, hides_amounts=True)
    html = owner.get(f"/release/{RELEASE}/").content.decode()
    assert "7654" not in html
    assert "7,654" not in html
    text = text_of(post(owner, copy, amount="8000", note="more"))
    assert "8000" not in text
    assert "8,000" not in text
    assert stored()[-1] == (copy.pk, 8000_00, "USD", "more")


@pytest.mark.parametrize("locale", TAGS)
@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_form_accepts_the_amount_it_begins_with(locale, currency):
    rate = Rate("JPY", 150, NOW) if currency == "JPY" else None
    shown = Display(locale=locale, currency=currency, rate=rate)
    for minor in (0, 5, 123, 123_456, 9_876_543):
        own = OwnValue(amount_minor=minor, currency=currency)
        typed = OwnValueForm(shown=shown, own=own)["amount"].value()
        form = OwnValueForm({"amount": typed}, shown=shown)
        assert form.is_valid(), typed
        assert form.minor == minor


def test_value_typed_in_another_currency_is_not_offered_as_this_one(collection, copy):
    own = OwnValue(amount_minor=500, currency="EUR", note="box")
    form = OwnValueForm(shown=Display(), own=own)
    assert (form["amount"].value(), form["note"].value()) == (None, "box")


# For a whole list ------------------------------------------------------------------------------------


@pytest.fixture
def shelf(collection):
    """Two copies of Jazz, one of them with a value of the owner's, and one of Rock; each release costs 10.00."""
    copies = [
        make.make_copy(collection, make.make_release(genres=[genre])) for genre in ("Jazz", "Jazz", "Rock")
    ]
    for each in copies:
        make.make_price(each.release, 1000)
    set_own(collection.user_id, [copies[0].pk], amount_minor=700, currency="USD", note="", now=NOW)
    return copies


def submit(client, address, **values):
    """Submit the form, then the confirmation as the page offers it; returns both answers."""
    asked = client.post(address, values)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.content.decode()))
    return asked, client.post(address, {**values, **hidden}, follow=True)


def test_collection_page_leads_to_the_values_of_its_filter(owner, shelf):
    html = owner.get("/collection/?genre=Jazz&sort=title").content.decode()
    assert 'href="/collection/values/?genre=Jazz&amp;sort=title">Set your values</a>' in html
    assert 'href="/collection/values/">' in owner.get("/collection/").content.decode()


def test_bulk_page_names_how_many_copies_are_selected(owner, shelf):
    text = text_of(owner.get("/collection/values/?genre=Jazz"))
    assert "The filters of your list select <b>2 copies</b>, together <b>$" in text
    assert "1 of them has a value of yours." in text
    assert "Your list has <b>3 copies</b>" in text_of(owner.get("/collection/values/"))
    assert "No copies match this list" in text_of(owner.get("/collection/values/?genre=Polka"))


def test_bulk_value_is_confirmed_then_set(owner, collection, shelf):
    asked, done = submit(owner, "/collection/values/?genre=Jazz&sort=title", amount="25", note="box set")
    assert "Set 2 values?" in text_of(asked)
    assert "<b>$25.00</b> becomes your value of <b>each of 2 copies</b>." in text_of(asked)
    assert "1 of them has a value of yours already, which is replaced." in text_of(asked)
    assert done.redirect_chain == [("/collection/?genre=Jazz&sort=title", 302)]
    assert "Your value is set for 2 copies." in text_of(done)
    assert stored()[-2:] == [(shelf[0].pk, 2500, "USD", "box set"), (shelf[1].pk, 2500, "USD", "box set")]
    assert ValueRequest.objects.get().user == collection.user


def test_bulk_value_is_withdrawn_where_there_is_one(owner, shelf):
    asked, done = submit(owner, "/collection/values/", action="withdraw")
    assert "Withdraw 1 value?" in text_of(asked)
    assert "Your value is withdrawn from 1 copy." in text_of(done)
    assert [row[1] for row in stored()] == [700, None]
    assert "None of these copies has a value of yours" in text_of(
        owner.post("/collection/values/", {"action": "withdraw"}, follow=True)
    )


def test_nothing_is_saved_before_it_is_confirmed(owner, shelf):
    before = stored()
    owner.post("/collection/values/", {"amount": "25", "note": ""})
    wrong = owner.post("/collection/values/?genre=Jazz", {"amount": "€5", "note": "kept"})
    assert "This is read as an amount in EUR" in text_of(wrong)
    assert "kept</textarea>" in text_of(wrong)
    assert stored() == before


def test_confirmation_of_another_selection_is_asked_again(owner, collection, shelf):
    before = stored()
    asked = owner.post("/collection/values/", {"amount": "25", "note": ""})
    key = re.search(r'name="confirmed" value="(\w+)"', asked.content.decode())[1]
    make.make_copy(collection)
    again = owner.post("/collection/values/", {"amount": "25", "note": "", "confirmed": key})
    assert "The list has changed meanwhile." in text_of(again)
    assert "Set 4 values?" in text_of(again)
    assert stored() == before


def test_list_that_is_too_large_is_refused(owner, collection):
    release = make.make_release()
    CollectionInstance.objects.bulk_create(
        CollectionInstance(connection=collection, release=release, instance_id=number, added_at=NOW)
        for number in range(20_001)
    )
    for answer in (owner.get("/collection/values/"), owner.post("/collection/values/", {"amount": "5"})):
        assert "This list has 20,001 copies; at most 20,000 can be changed at once." in text_of(answer)
    assert not stored()


def test_bulk_value_returns_to_the_page_of_the_list(owner, collection):
    for _ in range(51):
        make.make_copy(collection)
    assert "/collection/values/?page=2" in owner.get("/collection/?page=2").content.decode()
    _, done = submit(owner, "/collection/values/?page=2", amount="5", note="")
    assert done.redirect_chain == [("/collection/?page=2", 302)]
    assert OwnValue.objects.count() == 51


def test_bulk_pages_hide_amounts(owner, collection, shelf):
    choose(collection, hides_amounts=True)
    asked, done = submit(owner, "/collection/values/", amount="8123", note="")
    for answer in (owner.get("/collection/values/"), asked, done):
        assert "$" not in answer.content.decode()
    assert "<b>8" not in text_of(asked)
    assert OwnValue.objects.filter(amount_minor=812_300).count() == 3


def test_bulk_changes_only_the_users_copies(owner, collection, shelf):
    theirs = make.make_copy(make.make_connection("other"))
    sold = make.make_copy(collection, removed_at=NOW - timedelta(days=1))
    submit(owner, "/collection/values/", amount="5", note="")
    assert OwnValue.objects.filter(copy__in=[theirs.pk, sold.pk]).count() == 0
