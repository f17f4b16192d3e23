"""What is deleted, and above all what is not."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.management import call_command

from collections_app.connections.connect import disconnect
from collections_app.models import ApiMinute, Capability, PendingAuthorisation
from pricing.models import (
    EarlierPrice,
    HealthAlert,
    MarketStat,
    NearMintPrice,
    PriceJob,
    PriceSnapshot,
    ReleasePrice,
    RunItem,
    SourceAttempt,
    SyncRun,
)
from pricing.retention.purge import count_purgeable, purge_all, purge_some
from tests.factories import (
    make_connection,
    make_copy,
    make_item,
    make_price,
    make_release,
    make_run,
    make_snapshot,
    make_want,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def read_release(*, ago: int = 31):
    """A release whose newest of three readings is so many days old."""
    release = make_release()
    make_price(release, 1000, observed_at=NOW - ago * DAY)
    for day in range(3):
        make_snapshot(release, 1000, day=NOW.date() - (ago + day) * DAY)
    MarketStat.objects.create(release=release, currency="EUR", observed_at=NOW - ago * DAY)
    day = NOW.date() - ago * DAY
    NearMintPrice.objects.create(release=release, day=day, amount_minor=1)
    EarlierPrice.objects.create(release=release, day=day, amount_minor=1, observed_at=NOW - ago * DAY)
    return release


def test_unheld_release_goes_after_the_grace():
    read_release()
    counts = purge_all(now=NOW)
    kinds = ("market stats", "suggestions", "earlier prices", "prices")
    assert counts == {**dict.fromkeys(kinds, 1), "snapshots": 3}
    for model in (ReleasePrice, PriceSnapshot, MarketStat, NearMintPrice, EarlierPrice):
        assert not model.objects.exists()


def test_grace_period_deletes_nothing():
    read_release(ago=29)
    assert purge_all(now=NOW) == {}


def test_held_or_wanted_release_is_kept():
    connection = make_connection()
    make_copy(connection, read_release(ago=400))
    make_copy(connection, read_release(ago=400), removed_at=NOW - 300 * DAY)
    make_want(connection, read_release(ago=400))
    assert purge_all(now=NOW) == {}
    assert PriceSnapshot.objects.count() == 9


def test_release_of_another_owner_is_kept():
    gone, stays = make_connection("gone"), make_connection("stays")
    shared, single = read_release(ago=40), read_release(ago=40)
    for connection in (gone, stays):
        make_copy(connection, shared)
    make_copy(gone, single)
    disconnect(gone)
    purge_all(now=NOW)
    assert list(ReleasePrice.objects.values_list("pk", flat=True)) == [shared.pk]


@pytest.mark.parametrize(("history_days", "left"), [(0, 4), (365, 3), (30, 1)])
def test_old_snapshots_go_but_newest_price_stays(settings, history_days, left):
    settings.HISTORY_DAYS = history_days
    release = make_copy(make_connection()).release
    make_price(release, 1000, observed_at=NOW - 400 * DAY)
    for ago in (30, 31, 365, 366):
        make_snapshot(release, 1000, day=NOW.date() - ago * DAY)
    purge_all(now=NOW)
    assert PriceSnapshot.objects.count() == left
    assert ReleasePrice.objects.count() == 1


@pytest.mark.parametrize(("history_days", "left"), [(0, 4), (365, 3), (31, 2), (30, 1)])
def test_suggestion_stays_until_it_was_replaced(settings, history_days, left):
    settings.HISTORY_DAYS = history_days
    release = make_copy(make_connection()).release
    for ago in (30, 31, 365, 366):
        day = NOW.date() - ago * DAY
        NearMintPrice.objects.create(release=release, day=day, amount_minor=ago)
        EarlierPrice.objects.create(release=release, day=day, amount_minor=ago, observed_at=NOW)
    purge_all(now=NOW)
    assert NearMintPrice.objects.count() == left
    assert EarlierPrice.objects.count() == left


def old_runs(username: str, number: int, *, ago: int = 100) -> list[SyncRun]:
    """Finished runs of one user, each with one job, newest first."""
    connection, release = make_connection(username), make_release()
    runs = []
    for offset in range(number):
        moment = NOW - (ago + offset) * DAY
        run = make_run(connection, "finished", created_at=moment, finished_at=moment)
        make_item(run, release, "recorded", finished_at=moment)
        runs.append(run)
    return runs


def test_old_runs_go_but_newest_twenty_stay():
    many, few = old_runs("many", 25), old_runs("few", 3)
    assert purge_all(now=NOW) == {"run items": 5, "runs": 5, "jobs": 5}
    left = set(SyncRun.objects.values_list("pk", flat=True))
    assert left == {run.pk for run in [*many[:20], *few]}


def test_kept_run_keeps_its_jobs():
    old_runs("few", 3, ago=400)
    assert purge_all(now=NOW) == {}
    assert not RunItem.objects.filter(job__isnull=True).exists()


def test_recent_runs_are_kept():
    old_runs("busy", 30, ago=1)
    assert purge_all(now=NOW) == {}


def test_unfinished_run_is_kept():
    run = old_runs("many", 25)[-1]
    SyncRun.objects.filter(pk=run.pk).update(state="paused", finished_at=None)
    purge_all(now=NOW)
    assert SyncRun.objects.filter(pk=run.pk).exists()
    assert PriceJob.objects.filter(items__run=run).exists()


def test_runs_of_chosen_releases_expire():
    moment = NOW - 91 * DAY
    for ended in (moment, NOW):
        SyncRun.objects.create(
            trigger="command", state="finished", stale_after_seconds=0, created_at=moment, finished_at=ended
        )
    assert purge_all(now=NOW) == {"runs": 1}


@pytest.mark.parametrize(
    ("state", "ended_ago", "deleted"),
    [("recorded", 31, True), ("dead", 31, True), ("recorded", 29, False), ("due", None, False)],
)
def test_old_job_without_a_run_is_deleted(state, ended_ago, deleted):
    finished_at = None if ended_ago is None else NOW - ended_ago * DAY
    PriceJob.objects.create(
        release=make_release(), state=state, created_at=NOW - 99 * DAY, finished_at=finished_at
    )
    purge_all(now=NOW)
    assert PriceJob.objects.exists() is not deleted


def test_job_shared_with_a_kept_run_is_kept():
    old, kept = old_runs("many", 21)[-1], old_runs("few", 1)[0]
    job = old.items.get().job
    RunItem.objects.filter(run=kept).update(job=job)
    purge_all(now=NOW)
    assert not SyncRun.objects.filter(pk=old.pk).exists()
    assert kept.items.get().job == job


def make_attempt(ago: int, **subject: object) -> None:
    SourceAttempt.objects.create(source="suggestions", outcome="none", tried_at=NOW - ago * DAY, **subject)


def test_metrics_alerts_and_answers_expire():
    for ago in (29, 31):
        ApiMinute.objects.create(egress="here", minute=NOW - ago * DAY)
        make_attempt(ago, release=make_release())
    Capability.objects.create(name="search", is_available=False, checked_at=NOW - 99 * DAY)
    make_attempt(99, connection=make_connection())
    make_attempt(99, currency="EUR")
    for number, closed_at in enumerate((None, NOW - 89 * DAY, NOW - 91 * DAY)):
        HealthAlert.objects.create(kind=f"kind {number}", opened_at=NOW - 99 * DAY, closed_at=closed_at)
    assert purge_all(now=NOW) == {"minutes": 1, "alerts": 1, "answers": 1}


def test_transactions_delete_limited_batches():
    old_runs("many", 25)
    sizes = []
    while some := purge_some(now=NOW, limit=3):
        sizes.append(some.total())
    assert max(sizes) <= 3
    assert sum(sizes) == 15
    assert count_purgeable(now=NOW) == {}


def test_jobs_wait_until_items_are_deleted():
    old_runs("many", 25)
    purge_some(now=NOW, limit=3)
    assert not RunItem.objects.filter(job__isnull=True).exists()
    assert PriceJob.objects.count() == 25


def test_dry_run_predicts_the_purge(capsys):
    owned = make_release()
    make_copy(make_connection("owner"), owned)
    make_price(owned, 1000)
    read_release(ago=4000)
    old_runs("many", 25, ago=4000)
    call_command("purge", "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["snapshots"], told["jobs"]) == (3, 5)
    assert PriceSnapshot.objects.count() == 3
    call_command("purge", "--json")
    assert json.loads(capsys.readouterr().out) == told
    call_command("purge")
    assert capsys.readouterr().out == "Deleted: nothing.\n"
    assert ReleasePrice.objects.count() == 1


@pytest.mark.parametrize("rows", [5, 50])
def test_purge_has_a_constant_query_count(rows, django_assert_max_num_queries):
    for minute in range(rows):
        ApiMinute.objects.create(egress="here", minute=NOW - 40 * DAY + minute * timedelta(minutes=1))
    old_runs("many", 21)
    with django_assert_max_num_queries(54):
        purge_some(now=NOW)


def test_expired_sessions_go_with_addresses():
    user = make_connection().user
    for key, ago in (("over", 1), ("open", -1)):
        Session.objects.create(session_key=key, session_data="", expire_date=NOW - ago * DAY)
        UserSession.objects.create(user=user, session_key=key, ip="192.0.2.1", user_agent="")
    assert purge_all(now=NOW) == {"sessions": 1, "logins": 1}
    assert UserSession.objects.get().session_key == "open"


def test_unfinished_authorisation_expires(make_user):
    user = make_user()
    for ago in (timedelta(hours=25), timedelta(hours=23)):
        PendingAuthorisation.objects.create(user=user, credential="sealed", created_at=NOW - ago)
    assert purge_all(now=NOW) == {"authorisations": 1}


def test_unconfirmed_sign_up_expires():
    def signed_up(name, ago, *, verified=False, **fields):
        user = get_user_model().objects.create_user(name, date_joined=NOW - ago * DAY, **fields)
        EmailAddress.objects.create(user=user, email=f"{name}@example.org", verified=verified, primary=True)

    signed_up("forgotten", 8)
    signed_up("fresh", 6)
    signed_up("confirmed", 8, verified=True)
    signed_up("seen", 8, last_login=NOW)
    signed_up("boss", 8, is_staff=True)
    get_user_model().objects.create_user("by_hand", date_joined=NOW - 8 * DAY)
    assert purge_all(now=NOW) == {"sign-ups": 1}
    left = get_user_model().objects.values_list("username", flat=True)
    assert set(left) == {"fresh", "confirmed", "seen", "boss", "by_hand"}
