"""What users choose for themselves on the settings page."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.connections.lookup import preferences_of
from collections_app.models import Preferences
from pricing.models import SyncRun
from pricing.money.locales import TAGS
from pricing.pages.forms import COMMON_ZONES, all_zones, zone_choices
from pricing.workers import schedules
from tests import factories as make

pytestmark = pytest.mark.django_db

CHOSEN = {
    "sync_every_hours": "6",
    "currency": "EUR",
    "locale": "de-AT",
    "time_zone": "Europe/Berlin",
    "hides_amounts": "on",
}


@pytest.fixture
def user(client, make_user):
    user = make_user()
    client.force_login(user)
    return user


def save(client, **changes):
    return client.post("/settings/preferences/", {**CHOSEN, **changes}, follow=True)


def stored(user) -> dict[str, object]:
    return Preferences.objects.values(*CHOSEN).get(user=user)


def test_unsaved_preferences_are_defaults(client, user):
    html = client.get("/settings/").content.decode()
    for selected in (
        '<option value="24" selected>Daily',
        '<option value="USD" selected>USD – US dollar',
        '<option value="UTC" selected>',
        '<option value="en" selected>English – 12,345.50',
    ):
        assert selected in html
    assert preferences_of(user.pk).pk is None
    assert not Preferences.objects.exists()


def test_preferences_are_saved_and_shown(client, user):
    response = save(client)
    assert response.redirect_chain == [("/settings/", 302)]
    html = response.content.decode()
    assert "Saved." in html
    assert stored(user) == {
        "sync_every_hours": 6,
        "currency": "EUR",
        "locale": "de-AT",
        "time_zone": "Europe/Berlin",
        "hides_amounts": True,
    }
    assert '<option value="EUR" selected>EUR – Euro' in html
    assert '<option value="Europe/Berlin" selected>Berlin' in html
    assert "checked" in html


def test_saving_again_changes_the_same_row(client, user):
    save(client)
    client.post("/settings/preferences/", {**CHOSEN, "hides_amounts": "", "sync_every_hours": "0"})
    assert Preferences.objects.count() == 1
    assert (stored(user)["hides_amounts"], stored(user)["sync_every_hours"]) == (False, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sync_every_hours", "7"),
        ("sync_every_hours", "-6"),
        ("sync_every_hours", "six"),
        ("sync_every_hours", ""),
        ("currency", "DKK"),
        ("currency", "usd"),
        ("currency", "<script>alert(1)</script>"),
        ("currency", ""),
        ("locale", "de_AT"),
        ("locale", "tlh"),
        ("locale", "<b>"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "Etc/GMT+5"),
        ("time_zone", "europe/berlin"),
        ("time_zone", "A" * 5000),
        ("time_zone", "\x00"),
        ("time_zone", ""),
    ],
)
def test_garbage_is_explained_beside_its_field(client, user, field, value):
    response = save(client, **{field: value})
    html = response.content.decode()
    assert response.status_code == 200
    assert f'id="id_{field}_error"' in html
    assert "Saved." not in html
    assert "they are as before" in html
    assert "<script>alert" not in html
    assert not Preferences.objects.exists()


def test_missing_fields_change_nothing(client, user):
    html = client.post("/settings/preferences/").content.decode()
    assert html.count('class="wrong"') == 3
    assert not Preferences.objects.exists()


def test_preferences_of_others_stay_unchanged(client, user, make_user):
    other = make_user("other")
    Preferences.objects.create(user=other, currency="GBP")
    before = stored(other)
    save(client, user=str(other.pk), user_id=str(other.pk), pk=str(other.preferences.pk))
    assert stored(other) == before
    assert stored(user)["currency"] == "EUR"


def test_anonymous_and_get_save_nothing(client, user):
    assert client.get("/settings/preferences/").status_code == 405
    client.logout()
    assert "/account/login/" in client.post("/settings/preferences/", CHOSEN).url
    assert not Preferences.objects.exists()


def test_every_offered_zone_can_be_chosen():
    zones = [zone for _, group in zone_choices() if isinstance(group, list) for zone, _ in group]
    assert {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Auckland"} <= set(zones)
    assert not [zone for zone in zones if zone.startswith(("Etc/", "US/", "posix/", "right/"))]
    assert dict(zone_choices()[:1]) == {"UTC": "UTC"}


def zones_in(html: str) -> list[str]:
    return re.findall(
        r'<option value="([^"]*)"', re.search(r'<select name="time_zone".*?</select>', html, re.S)[0]
    )


def test_settings_offer_common_and_stored_zones(client, user):
    save(client, time_zone="Asia/Kathmandu")
    html = client.get("/settings/").content.decode()
    assert set(zones_in(html)) == {"UTC", *COMMON_ZONES, "Asia/Kathmandu"}
    assert '<option value="Asia/Kathmandu" selected>' in html
    assert 'href="/settings/?zones=all#preferences"' in html


def test_settings_offer_all_zones_on_request(client, user):
    html = client.get("/settings/?zones=all").content.decode()
    assert {*zones_in(html)} == {"UTC", *all_zones()}
    assert "Show all time zones" not in html


def test_submitted_zone_stays_beside_an_error(client, user):
    html = save(client, time_zone="Asia/Kathmandu", currency="DKK").content.decode()
    assert '<option value="Asia/Kathmandu" selected>' in html
    assert "Mars" not in save(client, time_zone="Mars/Olympus").content.decode()


def test_common_zones_exist():
    assert set(COMMON_ZONES) <= all_zones()


def test_chosen_interval_sets_the_schedule(client):
    now = timezone.now()
    collection = make.make_connection(connected_at=now - timedelta(days=30))
    begun = now - timedelta(hours=7)
    make.make_run(collection, "finished", created_at=begun, finished_at=begun)
    client.force_login(collection.user)
    assert schedules.start_due_runs(now=now) == 0
    save(client, sync_every_hours="6")
    assert schedules.start_due_runs(now=now) == 1
    assert SyncRun.objects.filter(trigger="schedule").count() == 1


def test_missing_locale_keeps_the_stored_one(client, user):
    save(client)
    client.post("/settings/preferences/", {**CHOSEN, "locale": "", "currency": "GBP"})
    assert (stored(user)["locale"], stored(user)["currency"]) == ("de-AT", "GBP")


def locales_in(html: str) -> list[str]:
    return re.findall(
        r'<option value="([^"]*)"', re.search(r'<select name="locale".*?</select>', html, re.S)[0]
    )


@pytest.mark.parametrize(
    ("header", "tag", "words"),
    [
        ("de-LU,de;q=0.9,en;q=0.8", "de", "Your browser asks for German: 12.345,50\u00a0$."),
        ("en;q=0.2,pt-br", "pt-BR", "Your browser asks for Portuguese (Brazil): US$\u00a012.345,50."),
        ("ja", "ja", "Your browser asks for Japanese: $12,345.50."),
    ],
)
def test_locale_of_the_browser_is_suggested(client, user, header, tag, words):
    html = client.get("/settings/", headers={"Accept-Language": header}).content.decode()
    assert words in html
    assert locales_in(html)[:2] == [tag, "en"]
    assert sorted(locales_in(html)) == sorted(TAGS)
    assert '<option value="en" selected>' in html


@pytest.mark.parametrize("header", ["", "en-US", "*", "xx", "<b>", "de" * 5000, "\u00e9;q=x"])
def test_no_locale_is_suggested_for_english(client, user, header):
    html = client.get("/settings/", headers={"Accept-Language": header}).content.decode()
    assert "Your browser asks" not in html
    assert locales_in(html)[0] == "en"


def test_no_locale_is_suggested_after_a_choice(client, user):
    save(client, locale="fr")
    html = client.get("/settings/", headers={"Accept-Language": "de"}).content.decode()
    assert "Your browser asks" not in html
    assert '<option value="fr" selected>Français' in html
