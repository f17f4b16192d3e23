"""Deleting an account, and what is under way at that moment."""

import threading
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from collections_app.discogs import errors
from collections_app.discogs.client import DiscogsClient
from collections_app.importing.steps import import_step, start_import
from collections_app.models import (
    CollectionInstance,
    DiscogsConnection,
    Folder,
    GradeEdit,
    ImportPass,
    OwnValue,
    Preferences,
    Release,
)
from collections_app.tasks import run_import_step
from pricing.daily import stored
from pricing.models import CollectionValue, PriceJob, ReleasePrice, SyncRun
from pricing.retention.erase import LastAdministrator, erase_account, erase_holdings
from pricing.sync import feeder, runs
from pricing.sync.refresh import Outcome, refresh_job
from pricing.tasks import settle_value
from pricing.value.own import set_own
from tests import factories as make
from tests.accounts import PASSWORD, force_login_with_code, log_in
from tests.pricing.engine import advance_runs, import_all, work_until_idle
from tests.processes import eventually

PAGE = "/account/delete/"


@pytest.fixture
def clear_limits(transactional_db):
    """A flushed database keeps its cache table, and with it the counters of the tests before."""
    cache.clear()


def rows_of(user_id: int) -> dict[str, int]:
    """How many rows of each model still name the user."""
    related = get_user_model()._meta.related_objects
    counts = {
        relation.related_model.__name__: relation.related_model.objects.filter(
            **{relation.field.name: user_id}
        ).count()
        for relation in related
        if not relation.many_to_many
    }
    return {name: number for name, number in counts.items() if number}


def fill(user) -> DiscogsConnection:
    """Something of everything that is a user's."""
    collection = user.discogs_connection
    release = make.make_release()
    copy = make.make_copy(collection, release, folder=make.make_folder(collection, "Attic"))
    set_own(user.pk, [copy.pk], amount_minor=5, currency="USD", note="signed", now=timezone.now())
    GradeEdit.objects.create(copy=copy, before="Fair (F)", edited_at=timezone.now())
    make.make_want(collection, release)
    make.make_price(release, 1234)
    make.make_value(collection, 1234, day=timezone.now().date())
    Preferences.objects.create(user=user)
    import_pass = ImportPass.objects.create(connection=collection, started_at=timezone.now())
    make.make_item(make.make_run(collection, "running", import_pass=import_pass), release, "due")
    return collection


def connected(make_user, username: str = "leaver", **extra):
    user = make_user(username, **extra)
    DiscogsConnection.objects.create(
        user=user,
        discogs_user_id=user.pk,
        discogs_username=f"{username}_at_discogs",
        credential="sealed",
        connected_at=timezone.now(),
    )
    return user


# The page --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_erase_needs_password_and_erases_all(client, make_user):
    user = connected(make_user)
    fill(user)
    log_in(client, "leaver")
    phone = Client()
    log_in(phone, "leaver")
    assert client.post(PAGE).url.startswith("/account/reauthenticate/")
    assert get_user_model().objects.exists()
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": "/settings/"})
    html = client.get(PAGE).content.decode()
    assert "leaver_at_discogs" in html
    assert "your 1 copy with" in html
    assert rows_of(user.pk).keys() >= {
        "DiscogsConnection", "Preferences", "SyncRun", "CollectionValue", "EmailAddress", "UserSession",
    }  # fmt: skip
    done = client.post(PAGE, follow=True)
    assert done.redirect_chain[0][0] == "/"
    assert "Your account and everything in it were erased here." in done.content.decode()
    assert not rows_of(user.pk)
    assert not get_user_model().objects.exists()
    copies = (CollectionInstance, OwnValue, GradeEdit)
    assert not any(model.objects.exists() for model in (*copies, Folder, ImportPass))
    assert phone.get("/settings/").status_code == 302
    assert not Session.objects.exclude(session_key=client.session.session_key).exists()
    assert PriceJob.objects.get().state == "cancelled"


@pytest.mark.django_db
def test_prices_and_other_users_stay(make_user):
    leaver, other = connected(make_user), connected(make_user, "other")
    fill(leaver)
    fill(other)
    before = rows_of(other.pk)
    erase_account(leaver, now=timezone.now())
    assert rows_of(other.pk) == before
    assert ReleasePrice.objects.count() == 2
    assert CollectionInstance.objects.of(other.pk).count() == OwnValue.objects.count() == 1


@pytest.mark.django_db
def test_second_click_finds_nothing_to_erase(make_user):
    leaver = connected(make_user)
    clicked_twice = get_user_model().objects.get(pk=leaver.pk)
    erase_account(leaver, now=timezone.now())
    erase_account(clicked_twice, now=timezone.now())
    assert not get_user_model().objects.exists()


@pytest.mark.django_db
def test_last_administrator_stays(client, make_staff, make_user):
    boss = make_staff("boss")
    make_user("retired", is_superuser=True, is_active=False)
    force_login_with_code(client, boss)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    html = client.post(PAGE, follow=True).content.decode()
    assert "You are the last administrator" in html
    assert get_user_model().objects.filter(pk=boss.pk).exists()
    make_staff("deputy")
    assert client.post(PAGE).url == "/"
    assert not get_user_model().objects.filter(pk=boss.pk).exists()


@pytest.mark.django_db
def test_refused_deletion_changes_nothing(make_staff):
    boss = make_staff("boss")
    with pytest.raises(LastAdministrator):
        erase_account(boss, now=timezone.now())
    assert EmailAddress.objects.filter(user=boss).exists()


# What is under way -----------------------------------------------------------------------------------


class Leaving(DiscogsClient):
    """While a request of it is under way, the user leaves; then the answer comes."""

    def release_market(self, discogs_id):
        answer = super().release_market(discogs_id)
        self.leave()
        return answer


class LeavingRefused(Leaving):
    """The same, and Discogs then refuses the credentials."""

    def release_market(self, discogs_id):
        super().release_market(discogs_id)
        raise errors.CredentialsRejected("no")

    def identity(self):
        raise errors.CredentialsRejected("no")


def client_that(kind, leave):
    def client_for(credentials, _interactive):
        client = kind(credentials)
        client.leave = leave
        return client

    return client_for


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "became"), [(Leaving, Outcome.KNOWN), (LeavingRefused, Outcome.FAILED)])
def test_pending_price_stores_no_erased_user(make_collector, generous_sandbox, kind, became):
    user = make_collector(generous_sandbox, release_ids=[11])
    user_id = user.pk
    import_all(user)
    runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)
    feeder.feed(now=timezone.now())
    outcome = refresh_job(
        PriceJob.objects.get().pk,
        client_for=client_that(kind, partial(erase_account, user, now=timezone.now())),
        clock=timezone.now,
    )
    assert outcome == became
    work_until_idle()
    assert not rows_of(user_id)
    assert not CollectionInstance.objects.exists()
    assert not CollectionValue.objects.exists()


@pytest.mark.django_db
def test_queued_tasks_find_nothing_to_do(make_user):
    user = connected(make_user)
    fill(user)
    user_id, pass_id = user.pk, ImportPass.objects.get().pk
    erase_account(user, now=timezone.now())
    run_import_step(pass_id)
    settle_value(user_id)
    stored.store_value(user_id, now=timezone.now())
    advance_runs(now=timezone.now())
    assert not rows_of(user_id)


@pytest.mark.django_db
def test_value_from_before_disconnect_is_dropped(make_user):
    user = connected(make_user)
    fill(user)
    now = timezone.now()
    row = stored.as_row(user.pk, stored.value_for(user.pk, now=now), day=now.date())
    erase_holdings(user.pk, now=now)
    stored.write_values(user.pk, [row])
    assert not CollectionValue.objects.exists()


def in_thread(work) -> tuple[threading.Thread, list[BaseException]]:
    """Run something beside the test, on a connection of its own; what it raised is in the list."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


@pytest.mark.django_db(transaction=True)
def test_pending_collection_page_is_dropped(make_collector, generous_sandbox, clear_limits):
    user = make_collector(generous_sandbox, count=30)
    user_id = user.pk
    import_pass = start_import(user.discogs_connection, now=timezone.now())
    import_step(import_pass.pk, now=timezone.now())
    asked = generous_sandbox.stats()["accepted"]
    generous_sandbox.set_limit(limit=100_000, window=6, latency=1.0)
    thread, raised = in_thread(lambda: import_step(import_pass.pk, now=timezone.now()))
    eventually(lambda: generous_sandbox.stats()["accepted"] > asked, within=30, what="the request")
    erase_account(user, now=timezone.now())
    thread.join(timeout=20)
    assert not raised
    assert not rows_of(user_id)
    assert not CollectionInstance.objects.exists()
    assert not Folder.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("leave", [erase_account, lambda user, now: erase_holdings(user.pk, now=now)])
def test_erase_waits_for_a_page_being_stored(make_user, clear_limits, leave):
    user = connected(make_user)
    collection, release = user.discogs_connection, make.make_release()
    import_pass = start_import(collection, now=timezone.now())
    with transaction.atomic():
        # What a step does with the page it has fetched.
        ImportPass.objects.filter(pk=import_pass.pk).update(instances_seen=1)
        make.make_copy(collection, release)
        thread, raised = in_thread(lambda: leave(user, now=timezone.now()))
        thread.join(timeout=0.5)
        assert thread.is_alive()
    thread.join(timeout=20)
    assert not raised
    assert not CollectionInstance.objects.exists()
    assert not DiscogsConnection.objects.exists()
    assert Release.objects.filter(pk=release.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_both_leave(make_staff, clear_limits):
    bosses = [make_staff("ann"), make_staff("ben")]
    leaving = [in_thread(partial(erase_account, boss, now=timezone.now())) for boss in bosses]
    for thread, _ in leaving:
        thread.join(timeout=20)
    assert [type(error) for _, raised in leaving for error in raised] == [LastAdministrator]
    assert get_user_model().objects.count() == 1
    assert UserSession.objects.count() == 0
